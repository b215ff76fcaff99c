import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** For each client, the number of statements of each of its operations. */
export type StatementCounts = readonly (readonly number[])[];

/** One execution of a toy: the choices, the tasks they were chosen from, and the preemptions. */
export interface Walk {
  readonly entries: readonly Task[];
  readonly enabled: readonly (readonly Choice[])[];
  readonly preemptions: number;
}

/**
 * Executes a toy, without a database: an operation is a start, then its statements.
 *
 * @param blocked whether a task is blocked after these entries; by default none is
 */
export function walk(
  toy: StatementCounts,
  scheduler: Scheduler,
  blocked: (task: Task, entries: readonly Task[]) => boolean = () => false,
): Walk {
  const left = toy.map((operations) => operations.flatMap(actionsOf));
  const entries: Task[] = [];
  const seen: Choice[][] = [];
  let preemptions = 0;
  for (;;) {
    const enabled = left.flatMap(([action], client): Choice[] => {
      const task = String(client);
      return action === undefined || blocked(task, entries) ? [] : [{ task, action }];
    });
    if (enabled.length === 0) return { entries, enabled: seen, preemptions };
    const { task } = scheduler.choose(enabled, entries.at(-1));
    if (isPreemption(entries.at(-1), task, enabled)) preemptions++;
    left[Number(task)]?.shift();
    entries.push(task);
    seen.push(enabled);
  }
}

function actionsOf(statements: number): Choice["action"][] {
  return ["start", ...Array.from({ length: statements }, (): Choice["action"] => "release")];
}
