import type { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";
import { controlConnection } from "../postgres/control-connection.ts";

/** A query over committed state, by name. */
export interface Query {
  readonly name: string;
  /** One statement that only reads. */
  readonly sql: string;
}

/** Asks the queries of a user in one session, past the proxy. */
export class Queries {
  readonly #directUrl: string;
  readonly #queries: readonly Query[];
  #client: Client;

  private constructor(directUrl: string, client: Client, queries: readonly Query[]) {
    this.#directUrl = directUrl;
    this.#client = client;
    this.#queries = queries;
  }

  /** Throws HarnessError `USAGE` for a query that cannot be asked in this database. */
  static async open(directUrl: string, queries: readonly Query[]): Promise<Queries> {
    const client = await controlConnection(directUrl, "heddle queries");
    const opened = new Queries(directUrl, client, queries);
    try {
      await opened.rows();
    } catch (error) {
      await client.end();
      throw error;
    }
    return opened;
  }

  /** The server was killed, and is there again. */
  async reopen(): Promise<void> {
    this.#client = await controlConnection(this.#directUrl, "heddle queries");
  }

  /** The rows of each query, by its name. */
  async rows(): Promise<Snapshot> {
    const rows: [string, JsonObject[]][] = [];
    for (const query of this.#queries) rows.push([query.name, await this.#ask(query)]);
    return Object.fromEntries(rows);
  }

  async #ask({ name, sql }: Query): Promise<JsonObject[]> {
    const text = `select to_jsonb(found) as row from (${sql.replace(/;\s*$/, "\n")}\n) as found`;
    try {
      const { rows } = await this.#client.query<{ row: JsonObject }>(text);
      return rows.map(({ row }) => row);
    } catch (cause) {
      throw new HarnessError("USAGE", `the query ${name} cannot be asked: ${String(cause)}`, {
        cause,
      });
    }
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
