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
import { confirm } from "./confirm.ts";
import { commitThatBroke, passingSerialRun } from "./explain-violation.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { isSameFinding } from "./failures.ts";
import type { ShrinkTree } from "./generate.ts";
import { recurrenceOf } from "./recurrence.ts";
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

/** The part of a counterexample that does not depend on the campaign. */
export type ShrunkCounterexample<State extends Json, Op extends Operation> = Pick<
  Counterexample<State, Op>,
  | "scenario"
  | "schedule"
  | "trace"
  | "violations"
  | "brokenAt"
  | "preemptions"
  | "shrunk"
  | "serial"
  | "volatile"
  | "unrepeated"
  | "before"
>;

/**
 * Shrinks a failing execution as long as it breaks its first rule. The counterexample lists all
 * violations of the smallest execution; only those of the same checker if the harness fails before
 * the other checkers were applied.
 */
export async function shrunkCounterexample<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
  { executor, service, checkers, tree, timeMs, signal, onExecution }: ShrinkingOptions<State, Op>,
): Promise<{ counterexample: ShrunkCounterexample<State, Op>; error: HarnessError | undefined }> {
  if (failing.sampled !== undefined) {
    const unrepeated = await recurrenceOf(failing, executor, checkers, onExecution);
    return { counterexample: { ...asFound(failing), unrepeated }, error: undefined };
  }
  const deadline = performance.now() + timeMs;
  const execute: Executor<State, Op>["execute"] = (...given) => executor.execute(...given);
  const violationsByExecution = new Map<Execution, readonly Violation[]>([
    [failing.execution, failing.violations],
  ]);
  const [rule] = failing.violations;
  if (rule === undefined) throw new Error("an execution without a violation cannot be shrunk");
  const {
    execution: smallest,
    executions,
    minimal,
    error,
  } = await shrink(failing.execution, {
    execute: (scenario, scheduler) => {
      onExecution();
      return executor.execute(scenario, scheduler);
    },
    fails: async (candidate) => {
      const violations = await checkers.checkRule(rule, candidate, execute);
      const isSame = violations.some((one) => isSameFinding(one, rule));
      if (isSame) violationsByExecution.set(candidate, violations);
      return isSame;
    },
    keepOperations: service.single,
    shrunkStates: service.shrunkStates,
    tree,
    more: () => performance.now() < deadline && !signal?.aborted,
  });
  const all =
    smallest === failing.execution || error !== undefined
      ? undefined
      : await checkers.check(smallest, execute).catch((cause: unknown) => {
          if (cause instanceof HarnessError) return undefined;
          throw cause;
        });
  const found = {
    execution: smallest,
    violations: ruleFirst(rule, all?.violations ?? violationsByExecution.get(smallest) ?? []),
  };
  const { shrunk } = asFound(failing);
  const confirmed = (execution: FailingExecution<State, Op>) => {
    const end = performance.now() + timeMs;
    return confirm(
      execution,
      executor,
      checkers,
      () => performance.now() < end && !signal?.aborted,
    );
  };
  const stopped = error !== undefined || signal?.aborted === true;
  const {
    failing: failingThere,
    volatile,
    unrepeated,
    before,
  } = stopped ? { failing: found, volatile: [] } : await confirmed(found);
  const { execution, violations } = failingThere;
  // These executions would come without those that have to come first.
  const unexplained = stopped || before !== undefined;
  const brokenAt = unexplained
    ? undefined
    : await commitThatBroke(rule, execution, checkers, execute);
  const serial = unexplained
    ? undefined
    : await passingSerialRun(
        execution.scenario,
        execute,
        async (other) => (await checkers.checkRule(rule, other, execute)).length === 0,
      );
  const counterexample = {
    ...asFound({ execution, violations }),
    shrunk: { ...shrunk, executions, minimal },
    ...(brokenAt !== undefined && { brokenAt }),
    ...(serial && { serial: { schedule: serial.schedule, trace: serial.trace } }),
    ...(volatile.length > 0 && { volatile }),
    ...(unrepeated && { unrepeated }),
    ...(before && { before }),
  };
  return { counterexample, error };
}

/** The counterexample of a failing execution before it is shrunk. */
export function asFound<State extends Json, Op extends Operation>({
  execution: { scenario, schedule, trace },
  violations,
}: FailingExecution<State, Op>): ShrunkCounterexample<State, Op> {
  const preemptions = preemptionCount(trace);
  const operations = operationCount(scenario);
  const shrunk = { executions: 0, operations, preemptions, minimal: false };
  return { scenario, schedule, trace, violations, preemptions, shrunk };
}
