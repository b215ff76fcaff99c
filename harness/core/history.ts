import type { Command } from "./command.ts";
import type { Json } from "./json.ts";

/**
 * What a client learned of its command. `ok`: it took effect. `fail`: it was refused and had no
 * effect. `info`: the outcome is unknown, because the answer was lost.
 */
export interface Response {
  readonly outcome: "ok" | "fail" | "info";
  /** What the service said, by name: `CREATED`, `BOOKING_CONFLICT`, … */
  readonly code: string;
  /** The HTTP status, where the command went over HTTP. */
  readonly status?: number;
  readonly body: Json;
}

export interface Invocation<C extends Command = Command> {
  readonly type: "invoke";
  readonly client: number;
  /** Which of the commands that the client sent, from 0; one that is sent again counts again. */
  readonly index: number;
  readonly command: C;
}

export interface Return {
  readonly type: "return";
  readonly client: number;
  readonly index: number;
  readonly response: Response;
}

export type Event<C extends Command = Command> = Invocation<C> | Return;

/** Invocations and responses in the order in which they happened (real time). */
export type History<C extends Command = Command> = readonly Event<C>[];

/** A paired invocation and response. `response` is absent while, or because, none ever came. */
export interface Operation<C extends Command = Command> {
  readonly client: number;
  readonly index: number;
  readonly command: C;
  readonly response: Response | undefined;
  /** Positions of its events in the history. `returnedAt` is Infinity if it never returned. */
  readonly invokedAt: number;
  readonly returnedAt: number;
}

/** Pairs the events of a history, in the order of their invocations. */
export function operations<C extends Command>(history: History<C>): Operation<C>[] {
  const returns = new Map<string, { response: Response; at: number }>();
  history.forEach((event, at) => {
    if (event.type === "return") {
      returns.set(`${event.client}/${event.index}`, { response: event.response, at });
    }
  });
  return history.flatMap((event, at) => {
    if (event.type !== "invoke") return [];
    const returned = returns.get(`${event.client}/${event.index}`);
    return {
      client: event.client,
      index: event.index,
      command: event.command,
      response: returned?.response,
      invokedAt: at,
      returnedAt: returned?.at ?? Number.POSITIVE_INFINITY,
    };
  });
}
