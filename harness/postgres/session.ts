import type pg from "pg";
import { HarnessError } from "../core/error.ts";
import { type Connection, connect } from "./connection.ts";

const LOCK = "select pg_advisory_lock_shared($1)";

/**
 * One connection for the upkeep of a server. Queries wait for each other; a connection that was
 * lost is made anew. It keeps this process alive only while a query runs.
 */
export class SharedSession {
  readonly url: string;
  readonly #locks = new Set<bigint>();
  #client: Connection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(url: string) {
    this.url = url;
  }

  query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#next(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** Such as `18.4`, without what a distribution adds to it. */
  async version(): Promise<string> {
    const rows = await this.query<{ server_version: string }>("show server_version");
    return rows[0]?.server_version.split(" ")[0] ?? "unknown";
  }

  /**
   * Holds a shared advisory lock, across reconnections, until it is released or the session
   * closes. Shared, since the server may not have noticed yet that the last connection was lost.
   */
  async lock(key: bigint): Promise<void> {
    this.#locks.add(key);
    await this.query(LOCK, [String(key)]);
  }

  async unlock(key: bigint): Promise<void> {
    this.#locks.delete(key);
    await this.query("select pg_advisory_unlock_shared($1)", [String(key)]);
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    this.#client?.ref();
    await this.#client?.end().catch(() => {});
  }

  #next<T>(use: (client: Connection) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      const client = await this.#connected();
      client.ref();
      try {
        return await use(client);
      } finally {
        client.unref();
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #connected(): Promise<Connection> {
    if (this.#client !== undefined) return this.#client;
    if (this.#closed) throw new HarnessError("USAGE", "The server was stopped: start another one.");
    const client = await connect(this.url);
    this.#client = client;
    client.once("end", () => {
      this.#client = undefined;
      // At once: while our locks are free, another Heddle takes our databases for abandoned.
      if (!this.#closed && this.#locks.size > 0) this.#next(async () => {}).catch(() => {});
    });
    await client.query(
      `select set_config(name, '0', false) from pg_settings
       where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout')`,
    );
    for (const key of this.#locks) {
      await client.query(LOCK, [String(key)]);
    }
    return client;
  }
}
