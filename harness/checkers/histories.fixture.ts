import type { Command } from "../core/command.ts";
import { type Operation, operations, type Response } from "../core/history.ts";
import { type Account, isUnknown, type Model } from "../core/model.ts";

/** `write` sets, `read` answers with the value, `cas` sets `value` where the value is `from`. */
export type RegisterCommand = Command & {
  readonly name: "write" | "read" | "cas";
  readonly key: string;
  readonly value: number;
  readonly from: number;
};

/** One register, 0 at first; or several by key, which are judged one by one. */
export const register: Model<number, null, RegisterCommand> = {
  init: () => 0,
  step(state, { command: { name, value, from }, response }) {
    const body = response?.outcome === "info" ? undefined : response?.body;
    const right = (answer: number | boolean) => body === undefined || body === answer;
    if (name === "write") return [value];
    if (name === "read") return right(state) ? [state] : [];
    return right(from === state) ? [from === state ? value : state] : [];
  },
  expected: (state, { command: { name, from } }) =>
    name === "read"
      ? `the value is ${state}`
      : `${state} is${from === state ? "" : " not"} ${from}`,
  misfit(state, final) {
    const value = final["register"]?.[0]?.["value"];
    return value === state ? undefined : `the value is ${state}, not ${value}`;
  },
  split({ operations, ...rest }) {
    const keys = new Set(operations.map(({ command }) => command.key));
    return [...keys].map((key) => ({
      ...rest,
      operations: operations.filter(({ command }) => command.key === key),
    }));
  },
};

type QueueCommand = Command & { readonly name: "enqueue" | "dequeue"; readonly value: string };

/** A queue: first in, first out; it cannot be dequeued while it is empty. */
export const queue: Model<readonly string[], null, QueueCommand> = {
  init: () => [],
  step([first, ...rest], { command: { name, value }, response }) {
    if (name === "enqueue") return [[...(first === undefined ? [] : [first]), ...rest, value]];
    return first !== undefined && response?.body === first ? [rest] : [];
  },
};

/**
 * An account from events in order: `0 write 7`, `1 read`, `2 cas 1 3`, `0 write x=7` (of a key),
 * and the answers `0: ok`, `1: 7`, `2: true`; `0: ?` is an unknown outcome.
 */
export function account<C extends Command>(...events: readonly string[]): Account<null, C> {
  const sent = new Map<number, number>();
  const history = events.map((event) => {
    const [, number, answer, text = ""] = /^(\d+)(:?) (.*)$/.exec(event) ?? [];
    const client = Number(number);
    const index = answer ? (sent.get(client) ?? 0) - 1 : (sent.get(client) ?? 0);
    if (answer) return { type: "return", client, index, response: response(text) } as const;
    sent.set(client, index + 1);
    return { type: "invoke", client, index, command: command(text) as C } as const;
  });
  return { initial: null, operations: operations<C>(history), final: undefined };
}

function command(text: string): Command {
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

/** Tries every order there is. For a handful of operations. */
export function bruteForce<State, C extends Command>(
  model: Model<State, null, C>,
  { operations, final, initial }: Account<null, C>,
): boolean {
  const explained = (state: State, left: readonly Operation<C>[]): boolean => {
    const done = left.every(isUnknown);
    if (done && (final === undefined || model.misfit?.(state, final) === undefined)) return true;
    return left.some((operation) => {
      const others = left.filter((other) => other !== operation);
      const early = others.every((it) => isUnknown(it) || it.returnedAt > operation.invokedAt);
      return early && model.step(state, operation).some((next) => explained(next, others));
    });
  };
  return explained(model.init({ operations, final, initial }), operations);
}
