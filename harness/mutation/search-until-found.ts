import type { Checkers } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import type { FailingExecution } from "../explorer/explore-scenario.ts";
import type { Service } from "../service/service.ts";
import { huntingOrder, type OrderOptions } from "./search-order.ts";
import type { CheckerFinding } from "./seeded-report.ts";
import { Ways } from "./solo-runs.ts";

/** The first execution in which a checker found something. */
export interface Finding<State extends Json, Op extends Operation>
  extends CheckerFinding,
    FailingExecution<State, Op> {}

export interface Hunted<State extends Json, Op extends Operation> {
  /** The first of each checker, in the order in which they came. */
  readonly findings: readonly Finding<State, Op>[];
  readonly executions: number;
  readonly elapsedMs: number;
  /** Why something could not be checked, where that was so first. */
  readonly undecided: string | undefined;
  /** What went wrong with the harness, and ended it. */
  readonly error: HarnessError | undefined;
}

export interface HuntOptions extends Omit<OrderOptions, "ways"> {
  /** Of the service without what is looked for, if that is known. */
  readonly baseline?: Ways | undefined;
  readonly runs: number;
  readonly timeMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether it can end, given who has found something. */
  readonly enough: (checkers: readonly string[]) => boolean;
}

/** looks for what breaks a rule until it is enough or the budget is used up. */
export async function hunt<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  checkers: Checkers<State, Op>,
  options: HuntOptions,
): Promise<Hunted<State, Op>> {
  const { runs, timeMs = Number.POSITIVE_INFINITY, signal, enough, baseline } = options;
  const findings = new Map<string, Finding<State, Op>>();
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let executions = 0;
  let undecided: string | undefined;
  let error: HarnessError | undefined;
  try {
    const ways = baseline && { baseline, own: await Ways.open(executor) };
    const order = huntingOrder(service, { ...options, ways });
    for (let next = order.next(); executions < runs && elapsed() < timeMs && !signal?.aborted; ) {
      const { scenario, scheduler } = next.value;
      const execution = await executor.execute(scenario, scheduler);
      executions++;
      const result = await checkers.check(execution, (...given) => executor.execute(...given));
      undecided ??= result.undecided;
      for (const { checker } of result.violations) {
        if (findings.has(checker)) continue;
        // Its own violation comes first: what is shrunk keeps to the first.
        const violations = result.violations.toSorted(
          (a, b) => Number(b.checker === checker) - Number(a.checker === checker),
        );
        findings.set(checker, { checker, executions, elapsedMs: elapsed(), execution, violations });
      }
      if (enough([...findings.keys()])) break;
      next = order.next(execution);
    }
  } catch (cause) {
    if (!(cause instanceof HarnessError)) throw cause;
    error = cause;
  }
  return { findings: [...findings.values()], executions, elapsedMs: elapsed(), undecided, error };
}
