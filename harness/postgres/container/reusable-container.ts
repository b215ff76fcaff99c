import { createHash, randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildOnce, cacheFolder } from "../cache.ts";
import type { Engine } from "./engine.ts";
import { REUSABLE, removeEnded } from "./labels.ts";
import {
  type ContainerRequest,
  containerSettings,
  type RunningContainer,
  runContainer,
} from "./run-container.ts";

/**
 * Returns the reusable container of an image, and creates it if it does not exist. Its name contains a hash
 * of everything that must be equal, so that concurrent runs get the same container. The cache holds what
 * they share: the password, and the folder of the socket.
 */
export async function reuseContainer(
  engine: Engine,
  image: { readonly name: string; readonly id: string },
): Promise<RunningContainer & { readonly password: string; readonly name: string }> {
  const folder = await buildOnce(join(await cacheFolder(undefined), "reusable"), async (draft) => {
    await chmod(draft, 0o700);
    await writeFile(join(draft, "password"), randomBytes(16).toString("hex"), { mode: 0o600 });
  });
  const password = await readFile(join(folder, "password"), "utf8");
  const identity = JSON.stringify([image, password, containerSettings(false, true)]);
  const key = createHash("sha256").update(identity).digest("hex").slice(0, 12);
  const name = `heddle-kept-${key}`;
  const request: ContainerRequest = {
    image: image.name,
    password,
    sockets: join(folder, key),
    labels: { [REUSABLE]: key },
    durable: false,
    name,
  };
  await removeEnded(engine, name);
  return { ...(await findOrRun(engine, request)), password, name };
}

/** The time limit for another process to create the container. */
const CREATE_MS = 60_000;
const POLL_MS = 50;
/** The engine's errors if another process creates, starts or removes the same container. */
const CONFLICT = /already in use|already started|no such container/i;

/**
 * Finds or runs a container. An engine reserves a name before it lists the container, and lists the
 * container before it can be used, with a slow disk for seconds. In between, this process can neither
 * create nor use the container, and tries again.
 */
async function findOrRun(engine: Engine, request: ContainerRequest): Promise<RunningContainer> {
  const until = performance.now() + CREATE_MS;
  for (;;) {
    try {
      return await runContainer(engine, request);
    } catch (error) {
      if (!CONFLICT.test(String(error)) || performance.now() > until) throw error;
      await delay(POLL_MS);
    }
  }
}
