import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, callName, calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import { isUnknown, type Model, type ObservedHistory } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Checker } from "./checker.ts";
import { type DeadEnd, type Illegal, type Spend, search } from "./linearizability-search.ts";

/** The most that a search may cost before its verdict is `unknown`. */
export interface Budget {
  /** Steps of the model. */
  readonly steps: number;
  readonly ms: number;
}

/** How one order fails. */
export interface Attempt<Op extends Operation = Operation> {
  readonly order: readonly Call<Op>[];
  /** The call whose answer is wrong after the order; undefined: the final state is wrong. */
  readonly refused: Call<Op> | undefined;
  /** What would have been right, or what does not fit, in words; empty if the model cannot say. */
  readonly because: string;
}

export type Linearizability<Op extends Operation = Operation> =
  | { readonly verdict: "ok" }
  | { readonly verdict: "unknown"; readonly why: string }
  | {
      readonly verdict: "illegal";
      /** The shortest prefix that no order explains: of the history, or of a part if it was split. */
      readonly prefix: readonly Call<Op>[];
      /** The call whose return ends the prefix; undefined: all returned, the final state is wrong. */
      readonly last: Call<Op> | undefined;
      /** At most 24 of the orders. */
      readonly attempts: readonly Attempt<Op>[];
      /** The number of orders; those that lead to the same state count as one. */
      readonly orders: number;
    };

/**
 * Whether some order of the operations, each between its invocation and its return, explains every
 * answer and the final state. A history that the model can split is checked part by part: it is
 * linearizable if every part is (Horn and Kroening, "Faster linearizability checking via
 * P-compositionality", 2015). The result describes the part whose illegal prefix is the shortest.
 */
export function linearizability<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  history: ObservedHistory<Initial, Op>,
  budget: Budget,
): Linearizability<Op> {
  const spend = spender(budget);
  let first: IllegalPrefix<State, Initial, Op> | undefined;
  let why: string | undefined;
  for (const part of model.split?.(history) ?? [history]) {
    const result = search(model, part, spend);
    if (result.verdict === "unknown") why ??= result.why;
    if (result.verdict !== "illegal") continue;
    const prefix = shortestPrefix(model, part, result, spend);
    if (first === undefined || prefix.at < first.at) first = prefix;
  }
  if (first === undefined)
    return why === undefined ? { verdict: "ok" } : { verdict: "unknown", why };
  const { at, part, illegal } = first;
  return {
    verdict: "illegal",
    prefix: part.calls,
    last: part.calls.find((call) => !isUnknown(call) && call.returnedAt === at),
    attempts: illegal.deadEnds.map(({ order, refused, state }) => ({
      order,
      refused,
      because: because(model, part, { state, refused }),
    })),
    orders: illegal.count,
  };
}

interface IllegalPrefix<State, Initial extends Json, Op extends Operation> {
  /** Position of the return that ends it; Infinity: the whole part, with its final state. */
  readonly at: number;
  readonly part: ObservedHistory<Initial, Op>;
  readonly illegal: Illegal<State, Op>;
}

/**
 * The shortest prefix of a part that no order explains, whatever the answers to the calls that are
 * pending at its end. The search used those answers: the prefix ends where the search failed, or a
 * few returns later.
 */
function shortestPrefix<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  part: ObservedHistory<Initial, Op>,
  illegal: Illegal<State, Op>,
  spend: Spend,
): IllegalPrefix<State, Initial, Op> {
  const returns = part.calls
    .filter((call) => !isUnknown(call) && call.returnedAt >= illegal.at)
    .map(({ returnedAt }) => returnedAt)
    .sort((a, b) => a - b);
  for (const at of returns) {
    const prefix = until(part, at);
    const result = search(model, prefix, spend);
    if (result.verdict === "illegal") return { at, part: prefix, illegal: result };
    if (result.verdict === "unknown") break;
  }
  return { at: Number.POSITIVE_INFINITY, part, illegal };
}

/** The history up to a position: later answers are missing. */
function until<Initial extends Json, Op extends Operation>(
  { initial, before, calls }: ObservedHistory<Initial, Op>,
  at: number,
): ObservedHistory<Initial, Op> {
  return {
    initial,
    before,
    calls: calls
      .filter(({ invokedAt }) => invokedAt < at)
      .map((call) =>
        call.returnedAt <= at
          ? call
          : { ...call, response: undefined, returnedAt: Number.POSITIVE_INFINITY },
      ),
    final: undefined,
  };
}

/** The number of steps between two readings of the clock. */
const STEPS_PER_READING = 1_024;

function spender({ steps, ms }: Budget): Spend {
  const deadline = performance.now() + ms;
  let spent = 0;
  return () => {
    spent++;
    if (spent > steps) return `no order was found within ${steps} steps`;
    const late = spent % STEPS_PER_READING === 0 && performance.now() > deadline;
    return late ? `no order was found within ${ms} ms` : undefined;
  };
}

function because<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  { final }: ObservedHistory<Initial, Op>,
  { state, refused }: Pick<DeadEnd<State, Op>, "state" | "refused">,
): string {
  if (refused !== undefined) return model.expected?.(state, refused) ?? "";
  return (final && model.mismatch?.(state, final)) ?? "";
}

export const LINEARIZABLE = {
  checker: "linearizability",
  name: "linearizable",
  description:
    "Every answer, and the final state, is as if each operation had taken effect at one moment " +
    "between its sending and its answer.",
} as const;

/** Far more than an execution of a few operations needs. */
const BUDGET: Budget = { steps: 200_000, ms: 10_000 };

/** Checks that an execution is linearizable with respect to the service's model. */
export function linearizabilityChecker<State extends Json, Op extends Operation>(
  model: Model<unknown, State, Op>,
  names: readonly string[] = [],
): Checker<State, Op> {
  return {
    rules: [LINEARIZABLE],
    check: (execution) => checkLinearizability(execution, model, names),
  };
}

export function checkLinearizability<State extends Json, Op extends Operation>(
  { scenario, trace, contents, initialContents }: Execution<State, Op>,
  model: Model<unknown, State, Op>,
  names: readonly string[] = [],
): { violations: readonly Violation[]; undecided?: string } {
  const history = {
    initial: scenario.initial,
    before: initialContents,
    calls: calls(historyOf(trace)),
    final: contents,
  };
  const result = linearizability(model, history, BUDGET);
  return {
    violations: violationsOf(result, names),
    ...(result.verdict === "unknown" && { undecided: `${LINEARIZABLE.checker}: ${result.why}` }),
  };
}

/** The violation to report; none unless the verdict is `illegal`. */
export function violationsOf(
  result: Linearizability,
  names: readonly string[] = [],
): readonly Violation[] {
  if (result.verdict !== "illegal") return [];
  const { prefix, last, attempts, orders } = result;
  const what = last === undefined ? "the final state" : `the answer to ${callText(last, names)}`;
  const shown = orders > attempts.length ? ` (${attempts.length} are shown)` : "";
  const tried = orders === 1 ? "the only possible order fails" : `all ${orders} fail${shown}`;
  const operations = prefix.length === 1 ? "the only operation" : `the ${prefix.length} operations`;
  const { checker, name } = LINEARIZABLE;
  return [
    {
      checker,
      name,
      message: `no order explains ${operations} up to ${what}: ${tried}`,
      evidence: attempts.map(({ order, refused, because }) => ({
        after: order.map((call) => callText(call, names)).join(", ") || "nothing",
        wrong:
          refused === undefined ? "the final state" : `the answer to ${callText(refused, names)}`,
        because,
      })),
    },
  ];
}

/** `client 1's cancel (CANCELLED)`. */
function callText(call: Call, names: readonly string[]): string {
  return `${callName(call, names)} (${call.response?.code ?? "no answer"})`;
}
