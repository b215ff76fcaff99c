import { HarnessError } from "../core/error.ts";
import type { Execution, Snapshot } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Checkers } from "./checkers.ts";
import { difference } from "./replay.ts";

/**
 * The step, from 1, with whose commit committed state came to be broken: the first such where
 * executions are held to it at each commit, else the one from which on it was broken to the end. The
 * execution is made once more if what was committed in it was not looked at.
 *
 * Undefined where no commit is to blame, or where the execution did not go the same way again.
 */
export async function breakingCommit<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  execute: Executor<State, Op>["execute"],
  holds: (snapshot: Snapshot) => Promise<boolean>,
): Promise<number | undefined> {
  const seen = execution.commits;
  const commits = seen ?? (await observed(execution, execute))?.commits ?? [];
  let broken: number | undefined;
  for (const { step, snapshot } of commits) {
    if (await holds(snapshot)) broken = undefined;
    else broken ??= step;
    if (seen !== undefined && broken !== undefined) break;
  }
  return broken;
}

/** The same for a rule that an execution broke; undefined of one that is not about committed state. */
export async function commitThatBroke<State extends Json, Op extends Operation>(
  rule: Violation,
  execution: Execution<State, Op>,
  checkers: Checkers<State, Op>,
  execute: Executor<State, Op>["execute"],
): Promise<number | undefined> {
  if (rule.checker !== "invariant") return undefined;
  return breakingCommit(execution, execute, async (snapshot) => {
    const then = { ...execution, commits: [], snapshot };
    return (await checkers.likewise(rule, then, execute)).length === 0;
  });
}

async function observed<State extends Json, Op extends Operation>(
  { scenario, schedule, trace }: Execution<State, Op>,
  execute: Executor<State, Op>["execute"],
): Promise<Execution<State, Op> | undefined> {
  const same = new ReplayScheduler(schedule);
  same.begin();
  try {
    const execution = await execute(scenario, same, "each-commit");
    const other = difference(trace, execution.trace) ?? same.diverged();
    return other === undefined ? execution : undefined;
  } catch (error) {
    // What was found stands without it.
    if (!(error instanceof HarnessError)) throw error;
    return undefined;
  }
}
