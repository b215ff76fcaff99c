import { determinismChecker, isOfDeterminism } from "../checkers/determinism.ts";
import { Checkers, checkersOf, ruleFirst } from "../checkers/registry.ts";
import type { EarlierExecution } from "../core/counterexample.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Schedule } from "../core/schedule.ts";
import { type Trace, withoutAnalysis } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import { type Difference, VolatileComparison } from "../core/volatile.ts";
import type { VolatileValue } from "../core/volatile-values.ts";
import type { Executor } from "../execution/executor.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Service } from "../service/service.ts";

export interface Replayed<State extends Json = Json, Op extends Operation = Operation> {
  readonly execution: Execution<State, Op>;
  readonly violations: readonly Violation[];
  /** The first difference from the recorded execution, in words; undefined if there is none. */
  readonly diverged: string | undefined;
  /** The volatile values of the recorded execution, those that it was recorded with first. */
  readonly volatile: readonly VolatileValue[];
}

/**
 * An execution to replay. Without `trace` the new execution is compared with the schedule alone.
 * Violations are compared for the checkers that found any, since others may not have been applied.
 */
export interface RecordedExecution<State extends Json = Json, Op extends Operation = Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  /** The executions that come first, on a freshly started system. Default: none. */
  readonly before?: readonly EarlierExecution<State, Op>[];
  readonly trace?: Trace<Op>;
  readonly violations?: readonly Violation[];
  /** Values of the trace and the violations that are known to differ in each execution. */
  readonly volatile?: readonly VolatileValue[];
  /** Whether any value that differs is volatile: both executions begin on a freshly started system. */
  readonly anyValue?: boolean;
}

/**
 * Executes a recorded schedule once more, and compares the execution with the recorded one, up to
 * volatile values.
 */
export async function replay<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  recorded: RecordedExecution<State, Op>,
): Promise<Replayed<State, Op>> {
  const determinism = recorded.violations?.some(isOfDeterminism)
    ? [determinismChecker<State, Op>(executor.ordersWakes)]
    : [];
  const checkers = new Checkers([...checkersOf(service), ...determinism]);
  return replayChecked(executor, checkers, recorded);
}

/** The same with the given checkers. */
export async function replayChecked<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  checkers: Checkers<State, Op>,
  recorded: RecordedExecution<State, Op>,
): Promise<Replayed<State, Op>> {
  if (recorded.before !== undefined) await executeEarlier(executor, recorded.before);
  const scheduler = new ReplayScheduler(recorded.schedule);
  scheduler.begin();
  const execution = await executor.execute(recorded.scenario, scheduler);
  const checked = await checkers.check(execution, (...given) => executor.execute(...given));
  const violations = ruleFirst(recorded.violations?.[0], checked.violations);
  const comparison = new VolatileComparison({
    known: recorded.volatile,
    inputs: recorded.scenario,
    anyValue: recorded.anyValue === true,
  });
  const diverged =
    (recorded.trace && difference(recorded.trace, execution.trace, comparison)) ??
    scheduler.diverged() ??
    (recorded.violations &&
      otherViolations(
        recorded.violations,
        violations.filter(({ checker }) =>
          recorded.violations?.some((violation) => violation.checker === checker),
        ),
        comparison,
      ));
  return { execution, violations, diverged, volatile: comparison.values };
}

/** Starts everything anew, and executes what comes first. */
async function executeEarlier<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  before: readonly EarlierExecution<State, Op>[],
): Promise<void> {
  await executor.renew();
  for (const { scenario, schedule } of before) {
    const scheduler = new ReplayScheduler(schedule);
    scheduler.begin();
    await executor.executeBefore(scenario, scheduler);
  }
}

/**
 * The first event in which two traces differ other than by volatile values, in words; undefined if
 * there is none. Events are compared as JSON, since one of the traces usually comes from a file.
 */
export function difference(
  expected: Trace,
  actual: Trace,
  comparison = new VolatileComparison(),
): string | undefined {
  const found = comparison.difference(withoutAnalysis(expected), withoutAnalysis(actual));
  if (found === undefined) return undefined;
  return found.expected === undefined
    ? `after the last recorded event came ${found.actual}`
    : `event ${found.at} was ${inWords(found)}`;
}

function inWords({ expected = "the end", actual = "the end" }: Omit<Difference, "at">): string {
  return `${expected}, and now is ${actual}`;
}

function otherViolations(
  expected: readonly Violation[],
  actual: readonly Violation[],
  comparison: VolatileComparison,
): string | undefined {
  const found = comparison.difference(expected, actual);
  if (found === undefined) return undefined;
  const names = (violations: readonly Violation[]) =>
    violations.map(({ name }) => name).join(", ") || "none";
  const [before, now] = [names(expected), names(actual)];
  return before === now
    ? `the violation ${expected[found.at]?.name} was ${inWords(found)}`
    : `the violated rules were ${before}, and now are ${now}`;
}
