import type { Command } from "../core/command.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import { commandCount, type Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { commitThatBroke } from "./breaking-commit.ts";
import { contrast } from "./contrast.ts";
import type { Failing } from "./explore-scenario.ts";
import { type Judges, ruleFirst } from "./judge.ts";
import { withPlainerArguments } from "./plainer.ts";
import { shrink } from "./shrink.ts";
import type { Subject } from "./subject.ts";

export interface ShrinkingOptions<State extends Json, C extends Command> {
  readonly executor: Executor<State, C>;
  readonly subject: Subject<State, C>;
  readonly judges: Judges<State, C>;
  /** How long it may take. */
  readonly timeMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called before each execution. */
  readonly onExecution: () => void;
}

/** What a counterexample has of its own, whatever the campaign. */
export type Shrunken<State extends Json, C extends Command> = Pick<
  Counterexample<State, C>,
  | "scenario"
  | "schedule"
  | "trace"
  | "violations"
  | "brokenAt"
  | "preemptions"
  | "shrunk"
  | "serial"
>;

/** What the model calls simpler, and then what it accepts. */
function* simplerThan<State extends Json, C extends Command>(
  scenario: Scenario<State, C>,
  subject: Subject<State, C>,
): Generator<Scenario<State, C>> {
  yield* subject.simpler?.(scenario) ?? [];
  if (subject.accepts === undefined) return;
  for (const plainer of withPlainerArguments(scenario)) {
    if (subject.accepts(plainer)) yield plainer;
  }
}

/**
 * The smallest that was found of what breaks the rule that was broken first, and all that it breaks
 * (of the same judge alone, if the harness fails or is interrupted before the others are asked).
 */
export async function shrunkCounterexample<State extends Json, C extends Command>(
  failing: Failing<State, C>,
  { executor, subject, judges, timeMs, signal, onExecution }: ShrinkingOptions<State, C>,
): Promise<{ counterexample: Shrunken<State, C>; error: HarnessError | undefined }> {
  const deadline = performance.now() + timeMs;
  const again: Executor<State, C>["execute"] = (...given) => executor.execute(...given);
  const known = new Map<Execution, readonly Violation[]>([[failing.execution, failing.violations]]);
  const [rule] = failing.violations;
  if (rule === undefined) throw new Error("what breaks no rule cannot be shrunk");
  const { execution, executions, minimal, error } = await shrink(failing.execution, {
    execute: (scenario, scheduler) => {
      onExecution();
      return executor.execute(scenario, scheduler);
    },
    fails: async (candidate) => {
      const violations = await judges.likewise(rule, candidate, again);
      if (violations.length > 0) known.set(candidate, violations);
      return violations.length > 0;
    },
    whole: subject.single,
    simpler: (scenario) => simplerThan(scenario, subject),
    more: () => performance.now() < deadline && !signal?.aborted,
  });
  const all =
    execution === failing.execution || error !== undefined
      ? undefined
      : await judges.judge(execution, again).catch((cause: unknown) => {
          if (cause instanceof HarnessError) return undefined;
          throw cause;
        });
  const violations = ruleFirst(rule, all?.violations ?? known.get(execution) ?? []);
  const { shrunk } = unshrunk(failing);
  const stopped = error !== undefined || signal?.aborted === true;
  const brokenAt = stopped ? undefined : await commitThatBroke(rule, execution, judges, again);
  const serial = stopped
    ? undefined
    : await contrast(
        execution.scenario,
        again,
        async (other) => (await judges.likewise(rule, other, again)).length === 0,
      );
  const counterexample = {
    ...unshrunk({ execution, violations }),
    shrunk: { ...shrunk, executions, minimal },
    ...(brokenAt !== undefined && { brokenAt }),
    ...(serial && { serial: { schedule: serial.schedule, trace: serial.trace } }),
  };
  return { counterexample, error };
}

/** A violation as it was found. */
export function unshrunk<State extends Json, C extends Command>({
  execution: { scenario, schedule, trace },
  violations,
}: Failing<State, C>): Shrunken<State, C> {
  const preemptions = preemptionCount(trace);
  const commands = commandCount(scenario);
  const shrunk = { executions: 0, commands, preemptions, minimal: false };
  return { scenario, schedule, trace, violations, preemptions, shrunk };
}
