import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import { isUnknown, type Model, type ObservedHistory } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import { type DeadEnd, type Illegal, type Spend, search } from "./linearizability-search.ts";

/** How much a result may cost before it is given up. */
export interface Budget {
  /** Steps of the model. */
  readonly steps: number;
  readonly ms: number;
}

/** How one order fails. */
export interface Attempt<Op extends Operation = Operation> {
  readonly order: readonly Call<Op>[];
  /** The operation whose answer is not right after it; undefined: it is what was left. */
  readonly refused: Call<Op> | undefined;
  /** What would have been right, or what does not fit, in words; empty if the model cannot say. */
  readonly because: string;
}

export type Linearizability<Op extends Operation = Operation> =
  | { readonly verdict: "ok" }
  | { readonly verdict: "unknown"; readonly why: string }
  | {
      readonly verdict: "illegal";
      /** The shortest prefix of the history that nothing explains; of its part, if it was split. */
      readonly prefix: readonly Call<Op>[];
      /** The operation whose return ends it; undefined: all returned, and what was left is wrong. */
      readonly last: Call<Op> | undefined;
      /** At most 24 of the orders. */
      readonly attempts: readonly Attempt<Op>[];
      /** How many orders there are; those that come to the same state are taken as one. */
      readonly orders: number;
    };

/**
 * Whether some order of the operations, each between its invocation and its return, explains every
 * answer and what was left. An account that the model can split is checked part by part: it is
 * linearizable if every part is (Horn and Kroening, "Faster linearizability checking via
 * P-compositionality", 2015). The first part to go wrong is the one that is told of.
 */
export function linearizability<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  account: ObservedHistory<Initial, Op>,
  budget: Budget,
): Linearizability<Op> {
  const spend = spender(budget);
  let first: Shortest<State, Initial, Op> | undefined;
  let why: string | undefined;
  for (const part of model.split?.(account) ?? [account]) {
    const found = search(model, part, spend);
    if (found.verdict === "unknown") why ??= found.why;
    if (found.verdict !== "illegal") continue;
    const prefix = shortest(model, part, found, spend);
    if (first === undefined || prefix.at < first.at) first = prefix;
  }
  if (first === undefined)
    return why === undefined ? { verdict: "ok" } : { verdict: "unknown", why };
  const { at, part, illegal } = first;
  return {
    verdict: "illegal",
    prefix: part.calls,
    last: part.calls.find((it) => !isUnknown(it) && it.returnedAt === at),
    attempts: illegal.deadEnds.map(({ order, refused, state }) => ({
      order,
      refused,
      because: because(model, part, { state, refused }),
    })),
    orders: illegal.count,
  };
}

interface Shortest<State, Initial extends Json, Op extends Operation> {
  /** Position of the return that ends it; Infinity: it is the whole part, with what was left. */
  readonly at: number;
  readonly part: ObservedHistory<Initial, Op>;
  readonly illegal: Illegal<State, Op>;
}

/**
 * The shortest prefix of a part that nothing explains, whatever those had been answered that were
 * still under way. The search knew their answers: it ends where it does, or a few returns later.
 */
function shortest<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  part: ObservedHistory<Initial, Op>,
  illegal: Illegal<State, Op>,
  spend: Spend,
): Shortest<State, Initial, Op> {
  const returns = part.calls
    .filter((it) => !isUnknown(it) && it.returnedAt >= illegal.at)
    .map(({ returnedAt }) => returnedAt)
    .sort((a, b) => a - b);
  for (const at of returns) {
    const prefix = until(part, at);
    const found = search(model, prefix, spend);
    if (found.verdict === "illegal") return { at, part: prefix, illegal: found };
    if (found.verdict === "unknown") break;
  }
  return { at: Number.POSITIVE_INFINITY, part, illegal };
}

/** What was known at a position of the history. */
function until<Initial extends Json, Op extends Operation>(
  { initial, calls }: ObservedHistory<Initial, Op>,
  at: number,
): ObservedHistory<Initial, Op> {
  return {
    initial,
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

/** How many steps go by between two looks at the clock. */
const STEPS_PER_LOOK = 1_024;

function spender({ steps, ms }: Budget): Spend {
  const deadline = performance.now() + ms;
  let spent = 0;
  return () => {
    spent++;
    if (spent > steps) return `no order was found within ${steps} steps`;
    const late = spent % STEPS_PER_LOOK === 0 && performance.now() > deadline;
    return late ? `no order was found within ${ms} ms` : undefined;
  };
}

function because<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  { final }: ObservedHistory<Initial, Op>,
  { state, refused }: Pick<DeadEnd<State, Op>, "state" | "refused">,
): string {
  if (refused !== undefined) return model.expected?.(state, refused) ?? "";
  return (final && model.misfit?.(state, final)) ?? "";
}

/** The rule, for reports. */
export const LINEARIZABLE = {
  checker: "linearizability",
  name: "linearizable",
  description:
    "Every answer, and what is left in the end, is as if each operation had happened at once, at " +
    "some moment between its sending and its answer.",
} as const;

/** Far more than an execution of a few operations takes. */
const BUDGET: Budget = { steps: 200_000, ms: 10_000 };

/** Checkers an execution by a model of what was executed. */
export function checkLinearizability<State extends Json, Op extends Operation>(
  { scenario, trace, contents }: Execution<State, Op>,
  model: Model<unknown, State, Op>,
): { violations: readonly Violation[]; undecided?: string } {
  const account = {
    initial: scenario.initial,
    calls: calls(historyOf(trace)),
    final: contents,
  };
  const found = linearizability(model, account, BUDGET);
  return {
    violations: nonLinearizable(found),
    ...(found.verdict === "unknown" && { undecided: `${LINEARIZABLE.checker}: ${found.why}` }),
  };
}

/** What a reader is told; nothing unless the verdict is `illegal`. */
export function nonLinearizable(found: Linearizability): readonly Violation[] {
  if (found.verdict !== "illegal") return [];
  const { prefix, last, attempts, orders } = found;
  const what = last === undefined ? "what they left" : `the answer to ${told(last)}`;
  const shown = orders > attempts.length ? `, of which ${attempts.length} are shown` : "";
  const tried = orders === 1 ? "the one order that is left fails" : `all ${orders} fail${shown}`;
  const operations = prefix.length === 1 ? "the only operation" : `the ${prefix.length} operations`;
  const { checker, name } = LINEARIZABLE;
  return [
    {
      checker,
      name,
      message: `no order explains ${operations} up to ${what}: ${tried}`,
      evidence: attempts.map(({ order, refused, because }) => ({
        after: order.map(told).join(", ") || "nothing",
        wrong: refused === undefined ? "what was left" : `the answer to ${told(refused)}`,
        because,
      })),
    },
  ];
}

/** `client 1's cancel (CANCELLED)`. */
function told({ client, operation, response }: Call): string {
  return `client ${client}'s ${operation.name} (${response?.code ?? "no answer"})`;
}
