import type { Snapshot } from "../core/execution.ts";
import type { Call, Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { IdBijection } from "./id-bijection.ts";

/** An order of whole operations: the client that sends its next operation, one by one. */
export type SerialOrder = readonly number[];

/** The result of an order of whole operations. */
export interface SerialOutcome {
  /** One for each operation, in the order of the operations. */
  readonly responses: readonly (Response | undefined)[];
  readonly contents: Snapshot | undefined;
}

/** The results of a prefix of orders. */
interface Node {
  readonly next: Map<number, Node>;
  /** The response to the last operation of the prefix. */
  response?: Response | undefined;
  /** The final rows, if the prefix is a whole order. */
  contents?: Snapshot | undefined;
}

/** Stands for the answer of an operation of which any answer is right. */
export const ANY_ANSWER: Response = { outcome: "ok", code: "(any)", body: null };

export type Execute = (order: SerialOrder) => Promise<SerialOutcome>;

/** What there is too much of to decide whether an order exists. */
export type TooMany = "orders" | "isomorphisms";

/** The result that a serial order has to have, and the limit of the search for it. */
export interface SerialTarget<Op extends Operation> {
  readonly calls: readonly Call<Op>[];
  readonly contents: Snapshot;
  readonly bijection: IdBijection;
  /** Whether a call that returned before another one was sent has to precede it in the order. */
  readonly realTime: boolean;
  /** The most orders that may be executed. */
  readonly executions: number;
}

/**
 * The executed serial orders of one scenario, as a tree of prefixes. The results serve all executions
 * of the scenario, and a prefix with a wrong answer rules out all orders that begin with it.
 */
export class SerialOrders<Op extends Operation> {
  readonly #clients: readonly (readonly Op[])[];
  readonly #root: Node = { next: new Map() };

  constructor({ clients }: Scenario<Json, Op>) {
    this.#clients = clients;
  }

  /** Adds the result of an order. */
  learn(order: SerialOrder, { responses, contents }: SerialOutcome): void {
    let node = this.#root;
    order.forEach((client, at) => {
      const next: Node = node.next.get(client) ?? { next: new Map() };
      node.next.set(client, next);
      next.response = responses[at];
      node = next;
    });
    node.contents = contents;
  }

  /**
   * An order with the same answers and the same final rows, ids aside; orders close to the order of
   * the returns are tried first. `none` if there is none; `orders` if there are too many to execute
   * them all; `isomorphisms` if there are too many pairings of ids to compare the final rows.
   */
  async find(wanted: SerialTarget<Op>, execute: Execute): Promise<SerialOrder | "none" | TooMany> {
    let left = wanted.executions;
    let undecided = false;
    const byClient = this.#clients.map((_, client) =>
      wanted.calls.filter((call) => call.client === client),
    );
    const explore = async (
      node: Node,
      order: SerialOrder,
      bijection: IdBijection,
    ): Promise<SerialOrder | "none" | TooMany> => {
      const possible = candidates(byClient, order, wanted.realTime);
      if (possible.length === 0) {
        // Without any operation no order was executed on the way.
        if (node.contents === undefined) this.learn(order, await execute(order));
        const same = node.contents && bijection.compare(wanted.contents, node.contents);
        undecided ||= same === "unknown";
        return same === "same" ? order : "none";
      }
      for (const { client, operation, response } of possible) {
        const longer = [...order, client];
        if (node.next.get(client)?.response === undefined) {
          if (left-- === 0) return "orders";
          const complete = completed(byClient, longer, wanted.realTime);
          this.learn(complete, await execute(complete));
        }
        const next = node.next.get(client);
        const same =
          next?.response && sameResponse(bijection, response, next.response, operation.name);
        if (next === undefined || same === undefined) continue;
        const found = await explore(next, longer, same);
        if (found !== "none") return found;
      }
      return "none";
    };
    const found = await explore(this.#root, [], wanted.bijection);
    return found === "none" && undecided ? "isomorphisms" : found;
  }

  /** The first orders with their results, those close to the order of the returns first. */
  async first(
    calls: readonly Call<Op>[],
    most: number,
    execute: Execute,
  ): Promise<readonly (SerialOutcome & { readonly order: SerialOrder })[]> {
    const byClient = this.#clients.map((_, client) =>
      calls.filter((call) => call.client === client),
    );
    const results: (SerialOutcome & { readonly order: SerialOrder })[] = [];
    for (const order of ordersOf(byClient, [])) {
      if (results.length === most) break;
      const known = this.#outcomeOf(order);
      const outcome = known ?? (await execute(order));
      if (known === undefined) this.learn(order, outcome);
      results.push({ ...outcome, order });
    }
    return results;
  }

  #outcomeOf(order: SerialOrder): SerialOutcome | undefined {
    const responses: (Response | undefined)[] = [];
    let node: Node | undefined = this.#root;
    for (const client of order) {
      node = node.next.get(client);
      if (node === undefined) return undefined;
      responses.push(node.response);
    }
    return node.contents && { responses, contents: node.contents };
  }
}

function* ordersOf<Op extends Operation>(
  byClient: readonly (readonly Call<Op>[])[],
  order: SerialOrder,
): Generator<SerialOrder> {
  const next = candidates(byClient, order, false);
  if (next.length === 0) yield order;
  for (const { client } of next) yield* ordersOf(byClient, [...order, client]);
}

/** The calls that may follow after an order, in the order of their returns. */
function candidates<Op extends Operation>(
  byClient: readonly (readonly Call<Op>[])[],
  order: SerialOrder,
  realTime: boolean,
): readonly Call<Op>[] {
  const done = byClient.map((_, client) => order.filter((it) => it === client).length);
  const next = byClient.flatMap((calls, client) => calls[done[client] ?? 0] ?? []);
  const first = Math.min(...next.map(({ returnedAt }) => returnedAt));
  return next
    .filter(({ invokedAt }) => !realTime || invokedAt < first)
    .sort((a, b) => a.returnedAt - b.returnedAt);
}

function completed<Op extends Operation>(
  byClient: readonly (readonly Call<Op>[])[],
  order: SerialOrder,
  realTime: boolean,
): SerialOrder {
  const [next] = candidates(byClient, order, realTime);
  return next === undefined ? order : completed(byClient, [...order, next.client], realTime);
}

/** The bijection extended so that the responses are the same; undefined if they are not. */
export function sameResponse(
  bijection: IdBijection,
  mine: Response | undefined,
  other: Response,
  operation: string,
): IdBijection | undefined {
  if (mine?.code === ANY_ANSWER.code) return bijection;
  if (mine === undefined || mine.code !== other.code || mine.status !== other.status)
    return undefined;
  return mine.outcome === other.outcome
    ? bijection.unified(mine.body, other.body, operation)
    : undefined;
}
