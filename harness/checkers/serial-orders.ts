import type { Snapshot } from "../core/execution.ts";
import type { Call, Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { IdBijection } from "./id-bijection.ts";

/** Which client sends its next operation: an order of whole operations. */
export type SerialOrder = readonly number[];

/** What an order of whole operations came to. */
export interface SerialOutcome {
  /** In the order of the operations. */
  readonly responses: readonly (Response | undefined)[];
  readonly contents: Snapshot | undefined;
}

/** What is known of one beginning of orders. */
interface Node {
  readonly next: Map<number, Node>;
  /** To the last operation of the beginning. */
  response?: Response | undefined;
  /** What it leaves, if it is a whole order. */
  contents?: Snapshot | undefined;
}

export type Execute = (order: SerialOrder) => Promise<SerialOutcome>;

/** Of what there is too much to find an order. */
export type TooMany = "orders" | "isomorphisms";

/** What is wanted of a serial order, and how long it may be searched for. */
export interface SerialTarget<Op extends Operation> {
  readonly calls: readonly Call<Op>[];
  readonly contents: Snapshot;
  readonly bijection: IdBijection;
  /** Whether what returned before something was sent has to come before it in the order too. */
  readonly realTime: boolean;
  /** The most orders that may be executed for it. */
  readonly executions: number;
}

/**
 * The serial orders of one scenario, as far as they were executed. What was executed once is known
 * for all further executions of the scenario; and a beginning whose last answer is another one than
 * the one that is looked for rules out all orders that begin so.
 */
export class SerialOrders<Op extends Operation> {
  readonly #clients: readonly (readonly Op[])[];
  readonly #root: Node = { next: new Map() };

  constructor({ clients }: Scenario<Json, Op>) {
    this.#clients = clients;
  }

  /** Takes note of an order's outcome. */
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
   * An order with the same answers that leaves the same, ids aside; those that are closest to the
   * order of the returns are tried first. `none` if there is none; otherwise what there is too much
   * of: orders to execute them all, or isomorphisms of ids to tell whether one leaves the same.
   */
  async find(wanted: SerialTarget<Op>, execute: Execute): Promise<SerialOrder | "none" | TooMany> {
    let left = wanted.executions;
    let untold = false;
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
        const same = node.contents && bijection.compare(wanted.contents, node.contents);
        untold ||= same === "unknown";
        return same === "same" ? order : "none";
      }
      for (const { client, operation, response } of possible) {
        const longer = [...order, client];
        if (node.next.get(client)?.response === undefined) {
          if (left-- === 0) return "orders";
          const whole = completed(byClient, longer, wanted.realTime);
          this.learn(whole, await execute(whole));
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
    return found === "none" && untold ? "isomorphisms" : found;
  }
}

/** What may come next after an order; those that returned first come first. */
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

function sameResponse(
  bijection: IdBijection,
  mine: Response | undefined,
  other: Response,
  operation: string,
): IdBijection | undefined {
  if (mine === undefined || mine.code !== other.code || mine.status !== other.status)
    return undefined;
  return mine.outcome === other.outcome
    ? bijection.unified(mine.body, other.body, operation)
    : undefined;
}
