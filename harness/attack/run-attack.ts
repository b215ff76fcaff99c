import { linearizability } from "../checkers/linearizability.ts";
import { HarnessError } from "../core/error.ts";
import { type Call, calls, type Event } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Attack, AttackRun, Round, Target } from "../service/attack.ts";

export interface AttackOptions {
  readonly iterations: number;
  /** How long it may take, in ms. */
  readonly timeMs: number;
  readonly signal: AbortSignal;
  readonly onRound: (rounds: number, violations: number) => void;
}

/** All that an attack saw. */
export interface AttackResult<Op extends Operation> {
  readonly rounds: number;
  readonly calls: readonly Call<Op>[];
  readonly latencies: Round["latencies"];
  readonly violations: readonly Violation[];
  /** Why it did not do all that it was to do, or could not checker it. */
  readonly unfinished: string | undefined;
  readonly error: HarnessError | undefined;
}

/** What checking the whole history may cost. */
const BUDGET = { steps: 5_000_000, ms: 30_000 };

export const LINEARIZABLE = {
  checker: "linearizability",
  name: "linearizable",
  description: "Some order of all requests, as they overlapped, explains every answer.",
} as const;

/** Attacks a target, round by round, and checkers what it saw. It leaves nothing that it made. */
export async function runAttack<State extends Json, Op extends Operation>(
  attack: Attack<State, Op>,
  model: Model<unknown, State, Op> | undefined,
  target: Target,
  options: AttackOptions,
): Promise<AttackResult<Op>> {
  const { iterations, timeMs, signal, onRound } = options;
  const deadline = performance.now() + timeMs;
  const assault = await attack.begin(target);
  const events: Event<Op>[] = [];
  const latencies: Round["latencies"][number][] = [];
  const violations: Violation[] = [];
  let rounds = 0;
  let error: HarnessError | undefined;
  try {
    while (rounds < iterations && !signal.aborted && performance.now() < deadline) {
      const round = await assault.round(rounds++);
      events.push(...round.events);
      latencies.push(...round.latencies);
      violations.push(...round.violations);
      onRound(rounds, violations.length);
    }
    violations.push(...(await assault.end()));
  } catch (cause) {
    if (!(cause instanceof HarnessError)) throw cause;
    error = cause;
  } finally {
    await assault.close();
  }
  const checked = checkedBy(model, assault, events);
  violations.push(...checked.violations);
  const all = `of ${iterations} rounds`;
  const unfinished =
    error?.message ??
    (signal.aborted ? `interrupted after ${rounds} ${all}` : undefined) ??
    (rounds < iterations ? `the time was up after ${rounds} ${all}` : undefined) ??
    checked.doubt;
  return { rounds, calls: calls(events), latencies, violations, unfinished, error };
}

function checkedBy<State extends Json, Op extends Operation>(
  model: Model<unknown, State, Op> | undefined,
  { initial }: AttackRun<State, Op>,
  events: readonly Event<Op>[],
): { readonly violations: readonly Violation[]; readonly doubt?: string } {
  if (model === undefined || initial === undefined) return { violations: [] };
  const account = { initial, calls: calls(events), final: undefined };
  const found = linearizability(model, account, BUDGET);
  if (found.verdict === "ok") return { violations: [] };
  if (found.verdict === "unknown") return { violations: [], doubt: found.why };
  const [attempt] = found.attempts;
  const { checker, name } = LINEARIZABLE;
  const why = attempt === undefined ? "" : `: ${attempt.because}`;
  const message = `no order of the requests explains all answers${why}`;
  const evidence = found.prefix.slice(-5).map(({ client, operation, response }) => ({
    client,
    operation,
    response: response === undefined ? null : { ...response, status: response.status ?? null },
  }));
  return { violations: [{ checker, name, message, evidence }] };
}
