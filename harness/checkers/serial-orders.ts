import type { Command } from "../core/command.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Operation, Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Renaming } from "./renaming.ts";

/** Which client sends its next command: an order of whole commands. */
export type SerialOrder = readonly number[];

/** What an order of whole commands came to. */
export interface SerialOutcome {
  /** In the order of the commands. */
  readonly responses: readonly (Response | undefined)[];
  readonly contents: Snapshot | undefined;
}

/** What is known of one beginning of orders. */
interface Node {
  readonly next: Map<number, Node>;
  /** To the last command of the beginning. */
  response?: Response | undefined;
  /** What it leaves, if it is a whole order. */
  contents?: Snapshot | undefined;
}

export type Execute = (order: SerialOrder) => Promise<SerialOutcome>;

/** Of what there is too much to find an order. */
export type TooMany = "orders" | "pairings";

/** What is wanted of a serial order, and how long it may be searched for. */
export interface Wanted<C extends Command> {
  readonly operations: readonly Operation<C>[];
  readonly contents: Snapshot;
  readonly renaming: Renaming;
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
export class SerialOrders<C extends Command> {
  readonly #clients: readonly (readonly C[])[];
  readonly #root: Node = { next: new Map() };

  constructor({ clients }: Scenario<Json, C>) {
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
   * of: orders to execute them all, or pairings of ids to tell whether one leaves the same.
   */
  async find(wanted: Wanted<C>, execute: Execute): Promise<SerialOrder | "none" | TooMany> {
    let left = wanted.executions;
    let untold = false;
    const byClient = this.#clients.map((_, client) =>
      wanted.operations.filter((operation) => operation.client === client),
    );
    const explore = async (
      node: Node,
      order: SerialOrder,
      renaming: Renaming,
    ): Promise<SerialOrder | "none" | TooMany> => {
      const possible = candidates(byClient, order, wanted.realTime);
      if (possible.length === 0) {
        const same = node.contents && renaming.compare(wanted.contents, node.contents);
        untold ||= same === "unknown";
        return same === "same" ? order : "none";
      }
      for (const { client, command, response } of possible) {
        const longer = [...order, client];
        if (node.next.get(client)?.response === undefined) {
          if (left-- === 0) return "orders";
          const whole = completed(byClient, longer, wanted.realTime);
          this.learn(whole, await execute(whole));
        }
        const next = node.next.get(client);
        const same =
          next?.response && sameResponse(renaming, response, next.response, command.name);
        if (next === undefined || same === undefined) continue;
        const found = await explore(next, longer, same);
        if (found !== "none") return found;
      }
      return "none";
    };
    const found = await explore(this.#root, [], wanted.renaming);
    return found === "none" && untold ? "pairings" : found;
  }
}

/** What may come next after an order; those that returned first come first. */
function candidates<C extends Command>(
  byClient: readonly (readonly Operation<C>[])[],
  order: SerialOrder,
  realTime: boolean,
): readonly Operation<C>[] {
  const done = byClient.map((_, client) => order.filter((it) => it === client).length);
  const next = byClient.flatMap((operations, client) => operations[done[client] ?? 0] ?? []);
  const first = Math.min(...next.map(({ returnedAt }) => returnedAt));
  return next
    .filter(({ invokedAt }) => !realTime || invokedAt < first)
    .sort((a, b) => a.returnedAt - b.returnedAt);
}

function completed<C extends Command>(
  byClient: readonly (readonly Operation<C>[])[],
  order: SerialOrder,
  realTime: boolean,
): SerialOrder {
  const [next] = candidates(byClient, order, realTime);
  return next === undefined ? order : completed(byClient, [...order, next.client], realTime);
}

function sameResponse(
  renaming: Renaming,
  mine: Response | undefined,
  other: Response,
  command: string,
): Renaming | undefined {
  if (mine === undefined || mine.code !== other.code || mine.status !== other.status)
    return undefined;
  return mine.outcome === other.outcome
    ? renaming.unified(mine.body, other.body, command)
    : undefined;
}
