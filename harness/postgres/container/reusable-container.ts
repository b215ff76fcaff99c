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
 * The container of an image that stays from run to run: the one that is there, or a new one. It is
 * told by its name, which stands for all that has to be the same; two that make it at once get the
 * same one. What both sides have to know is in the cache: its password, and the folder of its
 * socket.
 */
export async function reuseContainer(
  engine: Engine,
  image: { readonly name: string; readonly id: string },
): Promise<RunningContainer & { readonly password: string; readonly name: string }> {
  const folder = await buildOnce(join(await cacheFolder(undefined), "kept"), async (draft) => {
    await chmod(draft, 0o700);
    await writeFile(join(draft, "password"), randomBytes(16).toString("hex"), { mode: 0o600 });
  });
  const password = await readFile(join(folder, "password"), "utf8");
  const same = JSON.stringify([image, password, containerSettings(false, true)]);
  const key = createHash("sha256").update(same).digest("hex").slice(0, 12);
  const name = `heddle-kept-${key}`;
  const wanted: ContainerRequest = {
    image: image.name,
    password,
    sockets: join(folder, key),
    labels: { [REUSABLE]: key },
    durable: false,
    name,
  };
  await removeEnded(engine, name);
  return { ...(await findOrRun(engine, wanted)), password, name };
}

/** How long another may take to make the container: as long as we may. */
const MADE_MS = 60_000;
const POLL_MS = 50;
/** What the engine says to all but one of those that make, start or remove the same one at once. */
const ANOTHER_IS_AT_IT = /already in use|already started|no such container/i;

/**
 * An engine gives a name away before the container that will have it is listed, and lists it before
 * it can be used, with a slow disk for seconds: whoever comes in between can neither make it nor
 * use it yet, and asks again.
 */
async function findOrRun(engine: Engine, wanted: ContainerRequest): Promise<RunningContainer> {
  const until = performance.now() + MADE_MS;
  for (;;) {
    try {
      return await runContainer(engine, wanted);
    } catch (error) {
      if (!ANOTHER_IS_AT_IT.test(String(error)) || performance.now() > until) throw error;
      await delay(POLL_MS);
    }
  }
}
