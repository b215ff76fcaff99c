import { linearizability } from "../checkers/linearizability.ts";
import type { Assault, Attack, Round, Target } from "../core/attack.ts";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import { type Event, type Operation, operations } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Violation } from "../core/verdict.ts";

export interface AttackOptions {
  readonly iterations: number;
  /** How long it may take, in ms. */
  readonly timeMs: number;
  readonly signal: AbortSignal;
  readonly onRound: (rounds: number, violations: number) => void;
}

/** All that an attack saw. */
export interface AttackResult<C extends Command> {
  readonly rounds: number;
  readonly operations: readonly Operation<C>[];
  readonly latencies: Round["latencies"];
  readonly violations: readonly Violation[];
  /** Why it did not do all that it was to do, or could not judge it. */
  readonly unfinished: string | undefined;
  readonly error: HarnessError | undefined;
}

/** What judging the whole history may cost. */
const BUDGET = { steps: 5_000_000, ms: 30_000 };

export const LINEARIZABLE = {
  judge: "linearizability",
  name: "linearizable",
  description: "Some order of all requests, as they overlapped, explains every answer.",
} as const;

/** Attacks a target, round by round, and judges what it saw. It leaves nothing that it made. */
export async function runAttack<State extends Json, C extends Command>(
  attack: Attack<State, C>,
  model: Model<unknown, State, C> | undefined,
  target: Target,
  options: AttackOptions,
): Promise<AttackResult<C>> {
  const { iterations, timeMs, signal, onRound } = options;
  const deadline = performance.now() + timeMs;
  const assault = await attack.begin(target);
  const events: Event<C>[] = [];
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
  const judged = judgedBy(model, assault, events);
  violations.push(...judged.violations);
  const all = `of ${iterations} rounds`;
  const unfinished =
    error?.message ??
    (signal.aborted ? `interrupted after ${rounds} ${all}` : undefined) ??
    (rounds < iterations ? `the time was up after ${rounds} ${all}` : undefined) ??
    judged.doubt;
  return { rounds, operations: operations(events), latencies, violations, unfinished, error };
}

function judgedBy<State extends Json, C extends Command>(
  model: Model<unknown, State, C> | undefined,
  { initial }: Assault<State, C>,
  events: readonly Event<C>[],
): { readonly violations: readonly Violation[]; readonly doubt?: string } {
  if (model === undefined || initial === undefined) return { violations: [] };
  const account = { initial, operations: operations(events), final: undefined };
  const found = linearizability(model, account, BUDGET);
  if (found.verdict === "ok") return { violations: [] };
  if (found.verdict === "unknown") return { violations: [], doubt: found.why };
  const [attempt] = found.attempts;
  const { judge, name } = LINEARIZABLE;
  const why = attempt === undefined ? "" : `: ${attempt.because}`;
  const message = `no order of the requests explains all answers${why}`;
  const evidence = found.prefix.slice(-5).map(({ client, command, response }) => ({
    client,
    command,
    response: response === undefined ? null : { ...response, status: response.status ?? null },
  }));
  return { violations: [{ judge, name, message, evidence }] };
}
