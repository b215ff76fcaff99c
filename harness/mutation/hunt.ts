import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { JudgedFirst } from "../core/planted.ts";
import type { Executor } from "../execution/executor.ts";
import type { Failing } from "../explorer/explore-scenario.ts";
import type { Judges } from "../explorer/judge.ts";
import type { Subject } from "../explorer/subject.ts";
import { huntingOrder, type OrderOptions } from "./hunting-order.ts";
import { Ways } from "./ways.ts";

/** The first execution in which a judge found something. */
export interface Finding<State extends Json, C extends Command>
  extends JudgedFirst,
    Failing<State, C> {}

export interface Hunted<State extends Json, C extends Command> {
  /** The first of each judge, in the order in which they came. */
  readonly findings: readonly Finding<State, C>[];
  readonly executions: number;
  readonly elapsedMs: number;
  /** Why something could not be judged, where that was so first. */
  readonly undecided: string | undefined;
  /** What went wrong with the harness, and ended it. */
  readonly error: HarnessError | undefined;
}

export interface HuntOptions extends Omit<OrderOptions, "ways"> {
  /** Of the subject without what is looked for, if that is known. */
  readonly shipped?: Ways | undefined;
  readonly runs: number;
  readonly timeMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether it can end, given who has found something. */
  readonly enough: (judges: readonly string[]) => boolean;
}

/** looks for what breaks a rule until it is enough or the budget is used up. */
export async function hunt<State extends Json, C extends Command>(
  executor: Executor<State, C>,
  subject: Subject<State, C>,
  judges: Judges<State, C>,
  options: HuntOptions,
): Promise<Hunted<State, C>> {
  const { runs, timeMs = Number.POSITIVE_INFINITY, signal, enough, shipped } = options;
  const findings = new Map<string, Finding<State, C>>();
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let executions = 0;
  let undecided: string | undefined;
  let error: HarnessError | undefined;
  try {
    const ways = shipped && { shipped, own: await Ways.open(executor) };
    const order = huntingOrder(subject, { ...options, ways });
    for (let next = order.next(); executions < runs && elapsed() < timeMs && !signal?.aborted; ) {
      const { scenario, scheduler } = next.value;
      const execution = await executor.execute(scenario, scheduler);
      executions++;
      const judgement = await judges.judge(execution, (...given) => executor.execute(...given));
      undecided ??= judgement.undecided;
      for (const { judge } of judgement.violations) {
        if (findings.has(judge)) continue;
        // Its own violation comes first: what is shrunk keeps to the first.
        const violations = judgement.violations.toSorted(
          (a, b) => Number(b.judge === judge) - Number(a.judge === judge),
        );
        findings.set(judge, { judge, executions, elapsedMs: elapsed(), execution, violations });
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
