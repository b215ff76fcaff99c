import { type Call, calls, type Response } from "../core/history.ts";
import { isUnknown, type Model, type ObservedHistory } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";

/** `write` sets, `read` answers with the value, `cas` sets `value` where the value is `from`. */
export type RegisterOperation = Operation & {
  readonly name: "write" | "read" | "cas";
  readonly key: string;
  readonly value: number;
  readonly from: number;
};

/** One register, 0 at first; or several by key, which are checked one by one. */
export const register: Model<number, null, RegisterOperation> = {
  init: () => 0,
  step(state, { operation: { name, value, from }, response }) {
    const body = response?.outcome === "info" ? undefined : response?.body;
    const right = (answer: number | boolean) => body === undefined || body === answer;
    if (name === "write") return [value];
    if (name === "read") return right(state) ? [state] : [];
    return right(from === state) ? [from === state ? value : state] : [];
  },
  expected: (state, { operation: { name, from } }) =>
    name === "read"
      ? `the value is ${state}`
      : `${state} is${from === state ? "" : " not"} ${from}`,
  mismatch(state, final) {
    const value = final["register"]?.[0]?.["value"];
    return value === state ? undefined : `the value is ${state}, not ${value}`;
  },
  split({ calls, ...rest }) {
    const keys = new Set(calls.map(({ operation }) => operation.key));
    return [...keys].map((key) => ({
      ...rest,
      calls: calls.filter(({ operation }) => operation.key === key),
    }));
  },
};

type QueueOperation = Operation & { readonly name: "enqueue" | "dequeue"; readonly value: string };

/** A queue: first in, first out; it cannot be dequeued while it is empty. */
export const queue: Model<readonly string[], null, QueueOperation> = {
  init: () => [],
  step([first, ...rest], { operation: { name, value }, response }) {
    if (name === "enqueue") return [[...(first === undefined ? [] : [first]), ...rest, value]];
    return first !== undefined && response?.body === first ? [rest] : [];
  },
};

/**
 * A history from events in order: `0 write 7`, `1 read`, `2 cas 1 3`, `0 write x=7` (of a key),
 * and the answers `0: ok`, `1: 7`, `2: true`; `0: ?` is an unknown outcome.
 */
export function observedHistory<Op extends Operation>(
  ...events: readonly string[]
): ObservedHistory<null, Op> {
  const sent = new Map<number, number>();
  const history = events.map((event) => {
    const [, number, answer, text = ""] = /^(\d+)(:?) (.*)$/.exec(event) ?? [];
    const client = Number(number);
    const index = answer ? (sent.get(client) ?? 0) - 1 : (sent.get(client) ?? 0);
    if (answer) return { type: "return", client, index, response: response(text) } as const;
    sent.set(client, index + 1);
    return { type: "invoke", client, index, operation: operation(text) as Op } as const;
  });
  return { initial: null, calls: calls<Op>(history), final: undefined };
}

function operation(text: string): Operation {
  const [name = "", ...words] = text.split(" ");
  const [key = "", value = ""] = /=/.test(text) ? (words[0]?.split("=") ?? []) : ["", words.at(-1)];
  if (name === "enqueue" || name === "dequeue") return { name, value };
  return { name, key, value: Number(value), from: Number(words[0]) };
}

function response(text: string): Response {
  if (text === "?") return { outcome: "info", code: "LOST", body: null };
  return {
    outcome: "ok",
    code: text,
    body: /^[\d.]+$|true|false/.test(text) ? JSON.parse(text) : text,
  };
}

/** Tries every order, which is feasible for a handful of operations. */
export function bruteForce<State, Op extends Operation>(
  model: Model<State, null, Op>,
  { calls, final, initial }: ObservedHistory<null, Op>,
): boolean {
  const explained = (state: State, left: readonly Call<Op>[]): boolean => {
    const done = left.every(isUnknown);
    if (done && (final === undefined || model.mismatch?.(state, final) === undefined)) return true;
    return left.some((call) => {
      const others = left.filter((other) => other !== call);
      const early = others.every((it) => isUnknown(it) || it.returnedAt > call.invokedAt);
      return early && model.step(state, call).some((next) => explained(next, others));
    });
  };
  return explained(model.init({ calls, final, initial }), calls);
}
