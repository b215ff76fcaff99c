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
  /** Why this server was chosen, for its description. Default: `as asked`. */
  readonly why?: string;
}

/**
 * Starts a Postgres in a container of an image that works like the official one. Downloads the image if it
 * is not present.
 * @throws HarnessError PROVIDER_FAILED.
 */
export async function startContainer(options: ContainerOptions): Promise<Server> {
  const engine = await openEngine();
  await sweepContainers(engine);
  const id = await pullImage(engine, options.image);
  return options.reuse ? startReusable(engine, id, options) : startDisposable(engine, options);
}

async function startDisposable(
  engine: Engine,
  { image, why = "as asked", faults = false }: ContainerOptions,
) {
  const run = await RunFolder.open(undefined);
  const close = async () => {
    // The sweeps of other processes test the lock of the run folder, so it must outlive the container.
    await removeContainersOf(engine, run.path);
    run.reaper.forgetContainers();
    await run.close();
  };
  try {
    run.reaper.watchContainers(run.path);
    await Promise.all([run.reaper.ready, sweepRunFolders()]);
    const password = randomBytes(16).toString("hex");
    const labels = await labelsOf(run.path);
    const request = { image, password, sockets: run.data, labels, durable: faults };
    const running = await runContainer(engine, request);
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
  const details = `${why}; kept for the next run, until docker rm --force --volumes ${name}`;
  return useReusedContainer(address, password, (version) => describe(version, image, details));
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

/** If the container has ended: an error with the end of its log. */
async function failure({ api }: Engine, { id }: RunningContainer, image: string) {
  const stopped = (what: string) =>
    new HarnessError("PROVIDER_FAILED", `The container of ${image} does not run: ${what}.`);
  try {
    const { State } = await api.getContainer(id).inspect();
    if (State.Running) return undefined;
    const log = await api.getContainer(id).logs({ stdout: true, stderr: true, tail: 10 });
    return stopped(`it ended with code ${State.ExitCode}. Its log says: ${textOf(log)}`);
  } catch (cause) {
    return stopped(cause instanceof Error ? cause.message : String(cause));
  }
}

/**
 * The text of a log. Each frame has a header of 8 bytes, whose last 4 are the length of the frame
 * (https://docs.docker.com/reference/api/engine/, ContainerAttach).
 */
function textOf(log: Buffer): string {
  let text = "";
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4)) {
    text += log.toString("utf8", at + 8, at + 8 + log.readUInt32BE(at + 4));
  }
  return text.trim();
}
