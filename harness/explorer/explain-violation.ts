import type { Checkers } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution, Snapshot } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
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
    return (await checkers.checkRule(rule, then, execute)).length === 0;
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

/** Of how many orders the first that holds is looked for. */
const MOST_ORDERS = 24;

/**
 * The same operations, one whole operation after the other, in an order in which the rule holds: beside
 * it one sees what the interleaving does. None, where no order was found in which it does; then it
 * takes no concurrency to break the rule.
 */
export async function passingSerialRun<State extends Json, Op extends Operation>(
  scenario: Scenario<State, Op>,
  execute: (scenario: Scenario<State, Op>, scheduler: Scheduler) => Promise<Execution<State, Op>>,
  holds: (execution: Execution<State, Op>) => Promise<boolean>,
): Promise<Execution<State, Op> | undefined> {
  const orders = new Exhaustive(0);
  try {
    for (let left = MOST_ORDERS; left > 0 && orders.begin(); left--) {
      const execution = await execute(scenario, orders);
      if (await holds(execution)) return execution;
    }
  } catch (error) {
    // What was found stands without it.
    if (!(error instanceof HarnessError)) throw error;
  }
  return undefined;
}
