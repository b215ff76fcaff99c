import type { Call } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import { isUnknown, type Model, type ObservedHistory } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";

/** An order that cannot be continued, and the state after it. */
export interface DeadEnd<State = unknown, Op extends Operation = Operation> {
  readonly order: readonly Call<Op>[];
  readonly state: State;
  /** The call whose response is wrong there; undefined: the final rows do not fit. */
  readonly refused: Call<Op> | undefined;
}

export interface Illegal<State = unknown, Op extends Operation = Operation> {
  readonly verdict: "illegal";
  /** Position of the first return that no order explains; Infinity: the final rows. */
  readonly at: number;
  /** Those of the shortest illegal prefix; orders that lead to the same state count as one. */
  readonly deadEnds: readonly DeadEnd<State, Op>[];
  /** The number of dead ends, those that were not kept included. */
  readonly count: number;
}

export type Found<State = unknown, Op extends Operation = Operation> =
  | { readonly verdict: "ok"; readonly order: readonly Call<Op>[] }
  | { readonly verdict: "unknown"; readonly why: string }
  | Illegal<State, Op>;

/** Called before each step of the model. Returns why no step is left, if none is. */
export type Spend = () => string | undefined;

/** The most dead ends that are kept. */
const MAX_DEAD_ENDS = 24;

/** A return, by which its operation must have taken place; or the end of the history. */
interface Moment {
  /** The operation that returns; undefined at the end. */
  readonly must: number | undefined;
  /** Pending operations that will return, in the order of their returns; `must` is the first. */
  readonly underWay: readonly number[];
  /** The number of operations invoked by then that never return. */
  readonly unknowns: number;
}

/** Operations that have taken place, the last one first. */
interface Order<Op extends Operation> {
  readonly call: Call<Op>;
  readonly before: Order<Op> | undefined;
}

/** A point of the search: every return before its moment is explained. */
interface Configuration<State, Op extends Operation> {
  readonly moment: number;
  /** The pending operations, and those that never return, that have taken place; ascending. */
  readonly placed: readonly number[];
  readonly state: State;
  readonly order: Order<Op> | undefined;
  /** The index of the pending operation to place next. */
  next: number;
}

/**
 * Searches for an order that explains a history: each operation takes place between its invocation
 * and its return (one of unknown outcome at any later time, or never), the model accepts every
 * response, and the state at the end fits the final rows.
 *
 * It is the search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's
 * improvements ("Testing for linearizability", 2017): operations take place as late as possible, just
 * before a return that may depend on them; and a configuration (moment, placed operations, state)
 * that failed once is not tried again. The search is depth first, so that a legal history takes about
 * as many steps as it has operations, and iterative, so that its length is not limited.
 */
export function search<State, Initial extends Json, Op extends Operation>(
  model: Model<State, Initial, Op>,
  history: ObservedHistory<Initial, Op>,
  spend: Spend,
): Found<State, Op> {
  const { calls, final } = history;
  const unknown = calls.flatMap((call, index) => (isUnknown(call) ? index : []));
  const moments = momentsOf(calls);
  const failures = new Failures((state: State) => model.key?.(state) ?? JSON.stringify(state));
  const deadEnds = new DeadEnds<State, Op>();
  const stack: Configuration<State, Op>[] = [
    { moment: 0, placed: [], state: model.init(history), order: undefined, next: 0 },
  ];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { placed, state, order } = top;
    const moment = moments[top.moment];
    if (moment === undefined) throw new Error("a search went beyond the end of its history");
    const { must, underWay, unknowns } = moment;

    if (must !== undefined && placed.includes(must)) {
      const left = placed.filter((index) => index !== must);
      stack[stack.length - 1] = { moment: top.moment + 1, placed: left, state, order, next: 0 };
      continue;
    }
    if (top.next === 0) {
      if (failures.include(top)) {
        stack.pop();
        continue;
      }
      if (must === undefined) {
        if (final === undefined || model.mismatch?.(state, final) === undefined) {
          return { verdict: "ok", order: listed(order) };
        }
        deadEnds.add(top, undefined);
      }
    }
    if (top.next === underWay.length + unknowns) {
      failures.add(top);
      stack.pop();
      continue;
    }
    const index = underWay[top.next] ?? unknown[top.next - underWay.length];
    top.next++;
    const call = index === undefined ? undefined : calls[index];
    if (index === undefined || call === undefined || placed.includes(index)) continue;

    const why = spend();
    if (why !== undefined) return { verdict: "unknown", why };
    const states = model.step(state, call);
    if (states.length === 0 && index === must) deadEnds.add(top, call);
    const after = { call, before: order };
    const now = [...placed, index].sort((a, b) => a - b);
    for (const next of states.toReversed()) {
      stack.push({ moment: top.moment, placed: now, state: next, order: after, next: 0 });
    }
  }
  const must = moments[deadEnds.moment]?.must;
  const at = must === undefined ? undefined : calls[must]?.returnedAt;
  return {
    verdict: "illegal",
    at: at ?? Number.POSITIVE_INFINITY,
    deadEnds: deadEnds.kept,
    count: deadEnds.count,
  };
}

/** The returns, in order, and the end. */
function momentsOf(calls: readonly Call[]): readonly Moment[] {
  const events = calls
    .flatMap((call, index) => [
      { at: call.invokedAt, call, index, returns: false },
      ...(isUnknown(call) ? [] : [{ at: call.returnedAt, call, index, returns: true }]),
    ])
    .sort((a, b) => a.at - b.at);
  const moments: Moment[] = [];
  const active: { readonly index: number; readonly returnedAt: number }[] = [];
  let unknowns = 0;
  for (const { index, call, returns } of events) {
    if (returns) {
      moments.push({ must: index, underWay: active.map((it) => it.index), unknowns });
      active.shift();
    } else if (isUnknown(call)) unknowns++;
    else {
      const { returnedAt } = call;
      const later = active.findIndex((other) => other.returnedAt > returnedAt);
      active.splice(later < 0 ? active.length : later, 0, { index, returnedAt });
    }
  }
  return [...moments, { must: undefined, underWay: [], unknowns }];
}

/** Configurations that failed. */
class Failures<State, Op extends Operation> {
  readonly #keys = new Map<number, Set<string>>();
  readonly #keyOf: (state: State) => string;

  constructor(keyOf: (state: State) => string) {
    this.#keyOf = keyOf;
  }

  add(configuration: Configuration<State, Op>): void {
    const { moment } = configuration;
    const keys = this.#keys.get(moment) ?? new Set();
    this.#keys.set(moment, keys.add(this.#key(configuration)));
  }

  /** The key may be long: it is made only if there is another one to compare it with. */
  include(configuration: Configuration<State, Op>): boolean {
    return this.#keys.get(configuration.moment)?.has(this.#key(configuration)) ?? false;
  }

  #key({ placed, state }: Configuration<State, Op>): string {
    return `${placed.join()} ${this.#keyOf(state)}`;
  }
}

/** The dead ends of the latest moment that the search reached. */
class DeadEnds<State, Op extends Operation> {
  moment = 0;
  count = 0;
  readonly #kept: { at: Configuration<State, Op>; refused: Call<Op> | undefined }[] = [];

  add(at: Configuration<State, Op>, refused: Call<Op> | undefined): void {
    if (at.moment < this.moment) return;
    if (at.moment > this.moment) {
      this.moment = at.moment;
      this.count = 0;
      this.#kept.length = 0;
    }
    this.count++;
    if (this.#kept.length < MAX_DEAD_ENDS) this.#kept.push({ at, refused });
  }

  get kept(): readonly DeadEnd<State, Op>[] {
    return this.#kept.map(({ at: { order, state }, refused }) => ({
      order: listed(order),
      state,
      refused,
    }));
  }
}

function listed<Op extends Operation>(order: Order<Op> | undefined): readonly Call<Op>[] {
  const calls: Call<Op>[] = [];
  for (let last = order; last !== undefined; last = last.before) calls.push(last.call);
  return calls.reverse();
}
