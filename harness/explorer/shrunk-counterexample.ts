import { type Checkers, ruleFirst } from "../checkers/registry.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { operationCount, type Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import type { Service } from "../service/service.ts";
import { commitThatBroke, passingSerialRun } from "./explain-violation.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import type { ShrinkTree } from "./generate.ts";
import { shrink } from "./shrink.ts";

export interface ShrinkingOptions<State extends Json, Op extends Operation> {
  readonly executor: Executor<State, Op>;
  readonly service: Service<State, Op>;
  readonly checkers: Checkers<State, Op>;
  /** The failing scenario as it was generated, if it was (see `ShrinkOptions`). */
  readonly tree: ShrinkTree<Scenario<State, Op>> | undefined;
  /** How long it may take, in ms. */
  readonly timeMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called before each execution. */
  readonly onExecution: () => void;
}

/** What a counterexample has of its own, whatever the campaign. */
export type Shrunken<State extends Json, Op extends Operation> = Pick<
  Counterexample<State, Op>,
  | "scenario"
  | "schedule"
  | "trace"
  | "violations"
  | "brokenAt"
  | "preemptions"
  | "shrunk"
  | "serial"
>;

/**
 * The smallest that was found of what breaks the rule that was broken first, and all that it breaks
 * (of the same checker alone, if the harness fails or is interrupted before the others are asked).
 */
export async function shrunkCounterexample<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
  { executor, service, checkers, tree, timeMs, signal, onExecution }: ShrinkingOptions<State, Op>,
): Promise<{ counterexample: Shrunken<State, Op>; error: HarnessError | undefined }> {
  const deadline = performance.now() + timeMs;
  const again: Executor<State, Op>["execute"] = (...given) => executor.execute(...given);
  const known = new Map<Execution, readonly Violation[]>([[failing.execution, failing.violations]]);
  const [rule] = failing.violations;
  if (rule === undefined) throw new Error("what breaks no rule cannot be shrunk");
  const { execution, executions, minimal, error } = await shrink(failing.execution, {
    execute: (scenario, scheduler) => {
      onExecution();
      return executor.execute(scenario, scheduler);
    },
    fails: async (candidate) => {
      const violations = await checkers.checkRule(rule, candidate, again);
      if (violations.length > 0) known.set(candidate, violations);
      return violations.length > 0;
    },
    whole: service.single,
    tree,
    more: () => performance.now() < deadline && !signal?.aborted,
  });
  const all =
    execution === failing.execution || error !== undefined
      ? undefined
      : await checkers.check(execution, again).catch((cause: unknown) => {
          if (cause instanceof HarnessError) return undefined;
          throw cause;
        });
  const violations = ruleFirst(rule, all?.violations ?? known.get(execution) ?? []);
  const { shrunk } = unshrunk(failing);
  const stopped = error !== undefined || signal?.aborted === true;
  const brokenAt = stopped ? undefined : await commitThatBroke(rule, execution, checkers, again);
  const serial = stopped
    ? undefined
    : await passingSerialRun(
        execution.scenario,
        again,
        async (other) => (await checkers.checkRule(rule, other, again)).length === 0,
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
export function unshrunk<State extends Json, Op extends Operation>({
  execution: { scenario, schedule, trace },
  violations,
}: FailingExecution<State, Op>): Shrunken<State, Op> {
  const preemptions = preemptionCount(trace);
  const operations = operationCount(scenario);
  const shrunk = { executions: 0, operations, preemptions, minimal: false };
  return { scenario, schedule, trace, violations, preemptions, shrunk };
}
