import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";

/**
 * The answer to an operation. `ok`: it took effect. `fail`: it was refused and had no effect. `info`:
 * the outcome is unknown, because the answer was lost.
 */
export interface Response {
  readonly outcome: "ok" | "fail" | "info";
  /** The service's answer by name: `CREATED`, `BOOKING_CONFLICT`, … */
  readonly code: string;
  /** The HTTP status, where the operation went over HTTP. */
  readonly status?: number;
  /** What the service returned. */
  readonly body: Json;
}

/** A client sends an operation. */
export interface Invocation<Op extends Operation = Operation> {
  readonly type: "invoke";
  readonly client: number;
  /** The number of the operation among those that the client sent, from 0; a retry counts too. */
  readonly index: number;
  readonly operation: Op;
}

/** A client receives the answer to its operation. */
export interface Return {
  readonly type: "return";
  readonly client: number;
  /** That of the invocation. */
  readonly index: number;
  readonly response: Response;
}

/** An event that clients see. */
export type Event<Op extends Operation = Operation> = Invocation<Op> | Return;

/** Invocations and responses in the order in which they happened (real time). */
export type History<Op extends Operation = Operation> = readonly Event<Op>[];

/** An operation with its response; `response` is undefined if the operation never returned. */
export interface Call<Op extends Operation = Operation> {
  readonly client: number;
  readonly index: number;
  readonly operation: Op;
  readonly response: Response | undefined;
  /** Positions of the two events in the history. `returnedAt` is Infinity if there is no return. */
  readonly invokedAt: number;
  readonly returnedAt: number;
}

/** Pairs the events of a history, in the order of their invocations. */
export function calls<Op extends Operation>(history: History<Op>): Call<Op>[] {
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
      operation: event.operation,
      response: returned?.response,
      invokedAt: at,
      returnedAt: returned?.at ?? Number.POSITIVE_INFINITY,
    };
  });
}

/** `client 1's cancel`, or `client ada`: a client with a name has one operation, itself. */
export function callName(
  { client, operation }: Pick<Call, "client" | "operation">,
  names: readonly string[] = [],
): string {
  const name = names[client];
  return name === undefined ? `client ${client}'s ${operation.name}` : `client ${name}`;
}
