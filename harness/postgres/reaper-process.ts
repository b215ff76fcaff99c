import { createInterface } from "node:readline";
import { removeLeftover } from "./leftovers.ts";
import type { ReaperTask } from "./reaper.ts";

/*
 * A process of its own that outlives the harness. Each line that it reads is all that there would
 * be to clean up now, in place of the line before. The end of its input, which comes even when the
 * harness is killed, is the signal to do it.
 */

// Only the end of the harness counts: whoever ends a whole group of processes means us as well.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// The harness waits for this; it may be gone already.
process.stdout.on("error", () => {}).write("ready\n");

let duty: ReaperTask = { leftovers: [], containers: null, databases: null };
for await (const line of createInterface({ input: process.stdin })) {
  try {
    duty = JSON.parse(line) as ReaperTask;
  } catch {
    // The harness died while it wrote the line: what it said before holds.
  }
}
const tasks: Promise<void>[] = [];
if (duty.containers !== null) {
  const { openEngine } = await import("./container/engine.ts");
  const { removeLateContainersOf } = await import("./container/labels.ts");
  await removeLateContainersOf(await openEngine(), duty.containers);
}
tasks.push(...duty.leftovers.map((leftover) => removeLeftover(leftover)));
if (duty.databases !== null && duty.databases.names.length > 0) {
  const { dropDatabases } = await import("./leases.ts");
  tasks.push(dropDatabases(duty.databases.url, duty.databases.names));
}
const failed = (await Promise.allSettled(tasks)).some((task) => task.status === "rejected");
process.exitCode = failed ? 1 : 0;
