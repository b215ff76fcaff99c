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
 * The step, counted from 1, whose commit broke committed state. If the execution observed each commit,
 * it is the first commit after which `holds` is false. Otherwise the execution is repeated with
 * observation, and it is the commit from which on the state stayed broken until the end.
 *
 * Undefined if no commit broke it, or if the repeated execution diverged.
 */
export async function breakingCommit<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  execute: Executor<State, Op>["execute"],
  holds: (snapshot: Snapshot) => Promise<boolean>,
): Promise<number | undefined> {
  const observed = execution.commits;
  const commits = observed ?? (await repeatObserved(execution, execute))?.commits ?? [];
  let broken: number | undefined;
  for (const { step, snapshot } of commits) {
    if (await holds(snapshot)) broken = undefined;
    else broken ??= step;
    if (observed !== undefined && broken !== undefined) break;
  }
  return broken;
}

/** The same for a violated rule; undefined for a rule that is not about committed state. */
export async function commitThatBroke<State extends Json, Op extends Operation>(
  rule: Violation,
  execution: Execution<State, Op>,
  checkers: Checkers<State, Op>,
  execute: Executor<State, Op>["execute"],
): Promise<number | undefined> {
  if (rule.checker !== "invariant") return undefined;
  return breakingCommit(execution, execute, async (snapshot) => {
    const atCommit = { ...execution, commits: [], snapshot };
    return (await checkers.checkRule(rule, atCommit, execute)).length === 0;
  });
}

async function repeatObserved<State extends Json, Op extends Operation>(
  { scenario, schedule, trace }: Execution<State, Op>,
  execute: Executor<State, Op>["execute"],
): Promise<Execution<State, Op> | undefined> {
  const replay = new ReplayScheduler(schedule);
  replay.begin();
  try {
    const execution = await execute(scenario, replay, "each-commit");
    const other = difference(trace, execution.trace) ?? replay.diverged();
    return other === undefined ? execution : undefined;
  } catch (error) {
    // The violation stands without the explanation.
    if (!(error instanceof HarnessError)) throw error;
    return undefined;
  }
}

/** The most serial orders that are tried. */
const MAX_ORDERS = 24;

/**
 * A serial run of the same operations in which the rule holds: a report shows it beside the violation,
 * so that the effect of the interleaving can be seen. Undefined if no serial order was found in which
 * the rule holds: then breaking it takes no concurrency.
 */
export async function passingSerialRun<State extends Json, Op extends Operation>(
  scenario: Scenario<State, Op>,
  execute: (scenario: Scenario<State, Op>, scheduler: Scheduler) => Promise<Execution<State, Op>>,
  holds: (execution: Execution<State, Op>) => Promise<boolean>,
): Promise<Execution<State, Op> | undefined> {
  const orders = new Exhaustive(0);
  try {
    for (let left = MAX_ORDERS; left > 0 && orders.begin(); left--) {
      const execution = await execute(scenario, orders);
      if (await holds(execution)) return execution;
    }
  } catch (error) {
    // The violation stands without the explanation.
    if (!(error instanceof HarnessError)) throw error;
  }
  return undefined;
}
