import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Schedule } from "../core/schedule.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { Replay } from "../scheduler/replay.ts";
import { determinism, isOfDeterminism } from "./determinism.ts";
import { Judges, judgesOf, ruleFirst } from "./judge.ts";
import type { Subject } from "./subject.ts";

export interface Replayed<State extends Json = Json, C extends Command = Command> {
  readonly execution: Execution<State, C>;
  readonly violations: readonly Violation[];
  /** What first differed from what was recorded; undefined when nothing did. */
  readonly diverged: string | undefined;
}

/**
 * What to replay. Without `trace`, what is seen is compared with the schedule alone. Violations are
 * compared with those of the judges that found any: others may not have been asked.
 */
export interface Recorded<State extends Json = Json, C extends Command = Command> {
  readonly scenario: Scenario<State, C>;
  readonly schedule: Schedule;
  readonly trace?: Trace<C>;
  readonly violations?: readonly Violation[];
}

/** Executes a recorded schedule once more, and compares all that is seen with what was recorded. */
export async function replay<State extends Json, C extends Command>(
  executor: Executor<State, C>,
  subject: Subject<State, C>,
  recorded: Recorded<State, C>,
): Promise<Replayed<State, C>> {
  const scheduler = new Replay(recorded.schedule);
  scheduler.begin();
  const execution = await executor.execute(recorded.scenario, scheduler);
  const twice = recorded.violations?.some(isOfDeterminism)
    ? [determinism<State, C>(executor.ordersWakes)]
    : [];
  const judges = new Judges([...judgesOf(subject), ...twice]);
  const judged = await judges.judge(execution, (...given) => executor.execute(...given));
  const violations = ruleFirst(recorded.violations?.[0], judged.violations);
  const diverged =
    (recorded.trace && difference(recorded.trace, execution.trace)) ??
    scheduler.diverged() ??
    (recorded.violations &&
      otherViolations(
        recorded.violations,
        violations.filter(({ judge }) => recorded.violations?.some((its) => its.judge === judge)),
      ));
  return { execution, violations, diverged };
}

/**
 * The first event in which two traces differ, in words; undefined when they are equal. They are
 * compared as JSON, since one of them usually comes from a file.
 */
export function difference(expected: Trace, actual: Trace): string | undefined {
  const at = expected.findIndex((event, index) => inWords(event) !== inWords(actual[index]));
  if (at < 0) {
    const more = actual[expected.length];
    return more === undefined ? undefined : `after all that was recorded came ${inWords(more)}`;
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
    violations.map(({ name }) => name).join(", ") || "nothing";
  return `what was violated was ${names(expected)}, and now is ${names(actual)}, or its rows differ`;
}
