import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { exists } from "../cache.ts";
import { isAbandoned } from "../run-folder.ts";
import type { Engine } from "./engine.ts";

/** The label with the run folder to which a container belongs. */
const FOLDER = "heddle.folder";
/** The label with the file system of that folder: an engine may serve several machines and containers. */
const VIEW = "heddle.view";
/** The label of a container that the next run reuses. */
export const REUSABLE = "heddle.reusable";

/** The labels of a container that belongs to a run folder. */
export async function labelsOf(folder: string): Promise<{ [name: string]: string }> {
  return { [FOLDER]: folder, [VIEW]: (await viewOf(folder)) ?? "" };
}

/** The machine and file system of a run folder; undefined if this process cannot see it. */
async function viewOf(folder: string): Promise<string | undefined> {
  const base = await stat(dirname(folder)).catch(() => undefined);
  return base && `${hostname()}:${base.dev}`;
}

/** Removes the containers of a run folder in any state, with their volumes. Returns their number. */
export async function removeContainersOf(engine: Engine, folder: string): Promise<number> {
  const containers = await labelled(engine, `${FOLDER}=${folder}`);
  await Promise.all(containers.map(({ Id }) => removeContainer(engine, Id)));
  return containers.length;
}

const ARRIVAL_MS = 2000;
const POLL_MS = 100;

/** Removes the containers of a killed run, also one that the engine is still creating. */
export async function removeLateContainersOf(engine: Engine, folder: string): Promise<void> {
  const until = performance.now() + ARRIVAL_MS;
  while ((await removeContainersOf(engine, folder)) === 0 && performance.now() < until) {
    await delay(POLL_MS);
  }
}

/** Removes the containers of this machine whose run folders are abandoned. */
export async function sweepContainers(engine: Engine): Promise<void> {
  for (const { Id, Labels } of await labelled(engine, FOLDER)) {
    const folder = Labels[FOLDER];
    if (folder === undefined || Labels[VIEW] !== (await viewOf(folder))) continue;
    if ((await exists(folder)) && !(await isAbandoned(folder))) continue;
    await removeContainer(engine, Id).catch(() => {});
  }
}

/** The names of the containers that the next run can reuse. */
export async function reusableContainers(engine: Engine): Promise<string[]> {
  const containers = await labelled(engine, REUSABLE);
  return containers.map(({ Names, Id }) => Names[0]?.replace(/^\//, "") ?? Id);
}

/** Removes the container with a name if it has ended, since its data was in memory. */
export async function removeEnded(engine: Engine, name: string): Promise<void> {
  const filters = { name: [`^/${name}$`], status: ["exited", "dead"] };
  for (const { Id } of await engine.api.listContainers({ all: true, filters })) {
    await removeContainer(engine, Id);
  }
}

function labelled(engine: Engine, label: string) {
  return engine.api.listContainers({ all: true, filters: { label: [label] } });
}

async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    await engine.api.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    // 404: it is removed already. 409: another process is removing it.
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}
