import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { exists } from "../cache.ts";
import { isAbandoned } from "../run-folder.ts";
import type { Engine } from "./engine.ts";

/** The run folder to which a container belongs. */
const FOLDER = "heddle.folder";
/** From where that folder can be seen: an engine may serve several machines and containers. */
const VIEW = "heddle.view";
/** Marks a container that stays for the next run. */
export const REUSABLE = "heddle.kept";

/** What is put on a container of ours, so that it can be told who owns it. */
export async function labelsOf(folder: string): Promise<{ [name: string]: string }> {
  return { [FOLDER]: folder, [VIEW]: (await viewOf(folder)) ?? "" };
}

/** The machine and the file system that a run folder is on; undefined where it cannot be seen. */
async function viewOf(folder: string): Promise<string | undefined> {
  const base = await stat(dirname(folder)).catch(() => undefined);
  return base && `${hostname()}:${base.dev}`;
}

/** Removes what belongs to a run folder, with its volumes, whatever state it is in. */
export async function removeContainersOf(engine: Engine, folder: string): Promise<number> {
  const found = await labelled(engine, `${FOLDER}=${folder}`);
  await Promise.all(found.map(({ Id }) => removeContainer(engine, Id)));
  return found.length;
}

const ARRIVAL_MS = 2000;
const POLL_MS = 100;

/** The same, and what the engine is still making for an owner that was killed. */
export async function removeLateContainersOf(engine: Engine, folder: string): Promise<void> {
  const until = performance.now() + ARRIVAL_MS;
  while ((await removeContainersOf(engine, folder)) === 0 && performance.now() < until) {
    await delay(POLL_MS);
  }
}

/** Removes the containers whose owners on this machine are gone. */
export async function sweepContainers(engine: Engine): Promise<void> {
  for (const { Id, Labels } of await labelled(engine, FOLDER)) {
    const folder = Labels[FOLDER];
    if (folder === undefined || Labels[VIEW] !== (await viewOf(folder))) continue;
    if ((await exists(folder)) && !(await isAbandoned(folder))) continue;
    await removeContainer(engine, Id).catch(() => {});
  }
}

/** The names of the containers that were kept for a next run. */
export async function reusableContainers(engine: Engine): Promise<string[]> {
  const found = await labelled(engine, REUSABLE);
  return found.map(({ Names, Id }) => Names[0]?.replace(/^\//, "") ?? Id);
}

/** Removes the container of a name if it has ended: what it had in memory is gone. */
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
    // Gone already, or somebody else is at it.
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}
