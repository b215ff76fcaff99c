import { LINEARIZABLE, linearizability } from "../checkers/linearizability.ts";
import { HarnessError } from "../core/error.ts";
import { type Call, calls, type Event } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Attack, AttackRun, Round, Target } from "../service/attack.ts";

export interface AttackOptions {
  /** The number of rounds. */
  readonly iterations: number;
  /** The time after which no round begins, in ms. */
  readonly timeMs: number;
  readonly signal: AbortSignal;
  /** Called after each round, with the totals until then. */
  readonly onRound: (rounds: number, violations: number) => void;
}

/** The observations of an attack. */
export interface AttackResult<Op extends Operation> {
  readonly iterations: number;
  /** The number of rounds that ran. */
  readonly rounds: number;
  readonly calls: readonly Call<Op>[];
  readonly latencies: Round["latencies"];
  readonly violations: readonly Violation[];
  /** Whether the calls are linearizable. `not checked`: there is no model, or the budget ran out. */
  readonly linearizability: "ok" | "violated" | "not checked";
  /** Why the attack ended before its last round, or why its result could not be checked. */
  readonly unfinished: string | undefined;
  readonly error: HarnessError | undefined;
}

/** The calls of a whole attack are many more than those of an execution. */
const CHECK_BUDGET = { steps: 5_000_000, ms: 30_000 };

/** The number of calls that a violation shows: the last ones of the history that fails. */
const MAX_EVIDENCE = 5;

/**
 * Runs the rounds of an attack against a target and checks the calls. The attack removes what it
 * created, however it ends. A `HarnessError` during a round ends the attack and is part of the
 * result.
 *
 * @throws HarnessError if the target cannot be attacked
 */
export async function runAttack<State extends Json, Op extends Operation>(
  attack: Attack<State, Op>,
  model: Model<unknown, State, Op> | undefined,
  target: Target,
  options: AttackOptions,
): Promise<AttackResult<Op>> {
  const { iterations, timeMs, signal, onRound } = options;
  const deadline = performance.now() + timeMs;
  const run = await attack.begin(target);
  const events: Event<Op>[] = [];
  const latencies: Round["latencies"][number][] = [];
  const violations: Violation[] = [];
  let rounds = 0;
  let error: HarnessError | undefined;
  try {
    while (rounds < iterations && !signal.aborted && performance.now() < deadline) {
      const round = await run.round(rounds++);
      events.push(...round.events);
      latencies.push(...round.latencies);
      violations.push(...round.violations);
      onRound(rounds, violations.length);
    }
    violations.push(...(await run.end()));
  } catch (cause) {
    if (!(cause instanceof HarnessError)) throw cause;
    error = cause;
  } finally {
    await run.close();
  }
  const check = checkCalls(model, run, calls(events));
  const progress = `${rounds} of ${iterations} rounds`;
  const unfinished =
    error?.message ??
    (signal.aborted ? `interrupted after ${progress}` : undefined) ??
    (rounds < iterations ? `the time limit was reached after ${progress}` : undefined) ??
    check.undecided;
  return {
    ...{ iterations, rounds, calls: calls(events), latencies },
    violations: [...violations, ...check.violations],
    linearizability: check.result,
    ...{ unfinished, error },
  };
}

interface CallsCheck {
  readonly result: AttackResult<Operation>["linearizability"];
  readonly violations: readonly Violation[];
  /** Why the checker gave up. */
  readonly undecided?: string;
}

function checkCalls<State extends Json, Op extends Operation>(
  model: Model<unknown, State, Op> | undefined,
  { initial }: AttackRun<State, Op>,
  history: readonly Call<Op>[],
): CallsCheck {
  if (model === undefined || initial === undefined) {
    return { result: "not checked", violations: [] };
  }
  const observed = { initial, calls: history, final: undefined };
  const check = linearizability(model, observed, CHECK_BUDGET);
  if (check.verdict === "ok") return { result: "ok", violations: [] };
  if (check.verdict === "unknown") {
    return { result: "not checked", violations: [], undecided: check.why };
  }
  const [attempt] = check.attempts;
  const { checker, name } = LINEARIZABLE;
  const why = attempt === undefined ? "" : `: ${attempt.because}`;
  const message = `no order of the requests explains all answers${why}`;
  const evidence = check.prefix.slice(-MAX_EVIDENCE).map(({ client, operation, response }) => ({
    client,
    operation,
    response: response === undefined ? null : { ...response, status: response.status ?? null },
  }));
  return { result: "violated", violations: [{ checker, name, message, evidence }] };
}
