import type { Client } from "pg";
import type { JsonObject } from "../core/json.ts";
import type { SystemContext } from "../execution/system.ts";
import { openClient, rowsOf } from "../postgres/connection.ts";

/** A connection for each client that executes statements itself. It stays open between executions. */
export class SqlClients {
  readonly #context: Pick<SystemContext, "urlFor">;
  readonly #connections = new Map<number, Promise<Client>>();
  /** The clients that have had one. */
  readonly #known = new Set<number>();

  constructor(context: Pick<SystemContext, "urlFor">) {
    this.#context = context;
  }

  async execute(client: number, text: string, values: readonly unknown[]): Promise<JsonObject[]> {
    return rowsOf(await this.#connectionOf(client), text, values);
  }

  /** Opens the connections that were lost. */
  async warm(): Promise<void> {
    for (const client of this.#known) await this.#connectionOf(client);
  }

  #connectionOf(client: number): Promise<Client> {
    const open = this.#connections.get(client);
    if (open !== undefined) return open;
    this.#known.add(client);
    const opening = this.#open(client);
    this.#connections.set(client, opening);
    const forget = () => {
      if (this.#connections.get(client) === opening) this.#connections.delete(client);
    };
    opening.then((connection) => connection.once("end", forget), forget);
    return opening;
  }

  async #open(client: number): Promise<Client> {
    return openClient(await this.#context.urlFor(client));
  }

  /** The client begins anew, on another connection: the one that it has is being ended. */
  forget(client: number): void {
    this.#connections.delete(client);
  }

  async stop(): Promise<void> {
    const opened = [...this.#connections.values()];
    await Promise.allSettled(opened.map(async (opening) => (await opening).end()));
  }
}
