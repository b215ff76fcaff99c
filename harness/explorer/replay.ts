import { determinismChecker, isOfDeterminism } from "../checkers/determinism.ts";
import { Checkers, checkersOf, ruleFirst } from "../checkers/registry.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Schedule } from "../core/schedule.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Service } from "../service/service.ts";

export interface Replayed<State extends Json = Json, Op extends Operation = Operation> {
  readonly execution: Execution<State, Op>;
  readonly violations: readonly Violation[];
  /** The first difference from the recorded execution, in words; undefined if there is none. */
  readonly diverged: string | undefined;
}

/**
 * An execution to replay. Without `trace` the new execution is compared with the schedule alone.
 * Violations are compared for the checkers that found any, since others may not have been applied.
 */
export interface RecordedExecution<State extends Json = Json, Op extends Operation = Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  readonly trace?: Trace<Op>;
  readonly violations?: readonly Violation[];
}

/** Executes a recorded schedule once more, and compares the execution with the recorded one. */
export async function replay<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  recorded: RecordedExecution<State, Op>,
): Promise<Replayed<State, Op>> {
  const scheduler = new ReplayScheduler(recorded.schedule);
  scheduler.begin();
  const execution = await executor.execute(recorded.scenario, scheduler);
  const determinism = recorded.violations?.some(isOfDeterminism)
    ? [determinismChecker<State, Op>(executor.ordersWakes)]
    : [];
  const checkers = new Checkers([...checkersOf(service), ...determinism]);
  const checked = await checkers.check(execution, (...given) => executor.execute(...given));
  const violations = ruleFirst(recorded.violations?.[0], checked.violations);
  const diverged =
    (recorded.trace && difference(recorded.trace, execution.trace)) ??
    scheduler.diverged() ??
    (recorded.violations &&
      otherViolations(
        recorded.violations,
        violations.filter(({ checker }) =>
          recorded.violations?.some((violation) => violation.checker === checker),
        ),
      ));
  return { execution, violations, diverged };
}

/**
 * The first event in which two traces differ, in words; undefined if they are equal. Events are
 * compared as JSON, since one of the traces usually comes from a file.
 */
export function difference(expected: Trace, actual: Trace): string | undefined {
  const at = expected.findIndex((event, index) => inWords(event) !== inWords(actual[index]));
  if (at < 0) {
    const more = actual[expected.length];
    return more === undefined ? undefined : `after the last recorded event came ${inWords(more)}`;
  }
  return `event ${at} was ${inWords(expected[at])}, and now is ${inWords(actual[at])}`;
}

function inWords(event: TraceEvent | undefined): string {
  return event === undefined ? "the end" : JSON.stringify(event);
}

function otherViolations(
  expected: readonly Violation[],
  actual: readonly Violation[],
): string | undefined {
  if (JSON.stringify(expected) === JSON.stringify(actual)) return undefined;
  const names = (violations: readonly Violation[]) =>
    violations.map(({ name }) => name).join(", ") || "none";
  return `the violated rules were ${names(expected)}, and now are ${names(actual)}, or their evidence differs`;
}
