import { createInterface } from "node:readline";
import { removeLeftover } from "./leftovers.ts";
import type { ReaperTask } from "./reaper.ts";

/*
 * The reaper: a process that outlives the harness. Each line that it reads is a task that replaces the
 * one before. At the end of its input, which comes even when the harness is killed, it does the task.
 */

// A signal to the whole process group must not end the reaper before the harness has ended.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// The harness waits for this line, unless it has ended already.
process.stdout.on("error", () => {}).write("ready\n");

let task: ReaperTask = { leftovers: [], containers: null, databases: null };
for await (const line of createInterface({ input: process.stdin })) {
  try {
    task = JSON.parse(line) as ReaperTask;
  } catch {
    // The harness died while it wrote the line: the last complete task counts.
  }
}
const cleanups: Promise<void>[] = [];
if (task.containers !== null) {
  const { openEngine } = await import("./container/engine.ts");
  const { removeLateContainersOf } = await import("./container/labels.ts");
  await removeLateContainersOf(await openEngine(), task.containers);
}
cleanups.push(...task.leftovers.map((leftover) => removeLeftover(leftover)));
if (task.databases !== null && task.databases.names.length > 0) {
  const { dropDatabases } = await import("./leases.ts");
  cleanups.push(dropDatabases(task.databases.url, task.databases.names));
}
const failed = (await Promise.allSettled(cleanups)).some(({ status }) => status === "rejected");
process.exitCode = failed ? 1 : 0;
