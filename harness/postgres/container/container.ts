import { randomBytes } from "node:crypto";
import { HarnessError } from "../../core/error.ts";
import { disposableServer, type ProcessFaults } from "../disposable-server.ts";
import { RunFolder, sweepRunFolders } from "../run-folder.ts";
import type { Server, ServerOptions } from "../server.ts";
import { useReusedContainer } from "../url.ts";
import { type Engine, openEngine } from "./engine.ts";
import { labelsOf, removeContainersOf, sweepContainers } from "./labels.ts";
import { reuseContainer } from "./reusable-container.ts";
import {
  pullImage,
  type RunningContainer,
  restartContainer,
  runContainer,
} from "./run-container.ts";

interface ContainerOptions extends ServerOptions {
  readonly image: string;
  readonly why?: string;
}

/**
 * Starts a Postgres in a container of an image that works as the official one does. The image is
 * downloaded if it is not here.
 */
export async function startContainer(start: ContainerOptions): Promise<Server> {
  const engine = await openEngine();
  await sweepContainers(engine);
  const id = await pullImage(engine, start.image);
  return start.reuse ? startReusable(engine, id, start) : startDisposable(engine, start);
}

async function startDisposable(
  engine: Engine,
  { image, why = "as asked", faults = false }: ContainerOptions,
) {
  const run = await RunFolder.open(undefined);
  const close = async () => {
    // Its owner is asked for by the sweep of others: it has to outlive the container.
    await removeContainersOf(engine, run.path);
    run.reaper.forgetContainers();
    await run.close();
  };
  try {
    run.reaper.watchContainers(run.path);
    await Promise.all([run.reaper.ready, sweepRunFolders()]);
    const password = randomBytes(16).toString("hex");
    const labels = await labelsOf(run.path);
    const wanted = { image, password, sockets: run.data, labels, durable: faults };
    const running = await runContainer(engine, wanted);
    return await disposableServer({
      provider: "container",
      describe: (version) => describe(version, image, why),
      run,
      address: running.address,
      password,
      faults: faults ? processFaults(engine, running, password) : undefined,
      failure: () => failure(engine, running, image),
      close,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

async function startReusable(
  engine: Engine,
  id: string,
  { image, why = "as asked" }: ContainerOptions,
): Promise<Server> {
  const { address, password, name } = await reuseContainer(engine, { name: image, id });
  const how = `${why}; kept for the next run, until docker rm --force --volumes ${name}`;
  return useReusedContainer(address, password, (version) => describe(version, image, how));
}

function describe(version: string, image: string, why: string): string {
  return `PostgreSQL ${version} in a container of ${image} (${why})`;
}

function processFaults(engine: Engine, running: RunningContainer, password: string): ProcessFaults {
  const container = engine.api.getContainer(running.id);
  return {
    pause: () => container.pause(),
    resume: () => container.unpause(),
    kill: () => container.kill(),
    restart: () => restartContainer(engine, running, password),
  };
}

/** If the container has ended: that, with the end of its log. */
async function failure({ api }: Engine, { id }: RunningContainer, image: string) {
  const because = (what: string) =>
    new HarnessError(
      "PROVIDER_FAILED",
      `The container of ${image} does not run any more: ${what}.`,
    );
  try {
    const { State } = await api.getContainer(id).inspect();
    if (State.Running) return undefined;
    const log = await api.getContainer(id).logs({ stdout: true, stderr: true, tail: 10 });
    return because(`it ended with code ${State.ExitCode}. Its log says: ${textOf(log)}`);
  } catch (cause) {
    return because(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Each piece of output has a header of 8 bytes, the last 4 of which are its length. */
function textOf(log: Buffer): string {
  let text = "";
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4)) {
    text += log.toString("utf8", at + 8, at + 8 + log.readUInt32BE(at + 4));
  }
  return text.trim();
}
