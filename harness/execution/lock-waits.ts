import type { Client, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { connectionLost } from "../core/error.ts";
import { controlConnection } from "../postgres/connection.ts";

/** Which transactions have a number: those that have written. */
export interface TransactionNumbers {
  /** Of the open transaction of a backend; null if it has none. */
  readonly ofBackend: string | null;
  /** Differs once a transaction with a number has ended. */
  readonly snapshot: string;
}

/**
 * Asks the server about locks and backends, past the proxy. Each answer is true of the moment in which
 * the server gave it: the caller has to check that nothing has happened since it asked.
 */
export class LockWaits {
  readonly #directUrl: string;
  #client: Client;

  private constructor(directUrl: string, client: Client) {
    this.#directUrl = directUrl;
    this.#client = client;
  }

  static async open(directUrl: string): Promise<LockWaits> {
    return new LockWaits(directUrl, await controlConnection(directUrl, "heddle"));
  }

  /** Connects again, after the server was killed and restarted. */
  async reopen(): Promise<void> {
    this.#client = await controlConnection(this.#directUrl, "heddle");
  }

  /**
   * For each backend, the process ids that hold what it waits for or are ahead of it in the queue;
   * none when it waits for no lock. A parallel worker is named by its leader
   * (https://www.postgresql.org/docs/current/functions-info.html, pg_blocking_pids).
   */
  async blockers(pids: readonly number[]): Promise<Map<number, readonly number[]>> {
    const { rows } = await this.#query<{ pid: number; blockers: number[] }>({
      name: "blockers",
      text: "select pid, pg_blocking_pids(pid) as blockers from unnest($1::int[]) as pid",
      values: [pids],
    });
    return new Map(rows.map((row) => [row.pid, row.blockers]));
  }

  /** The process ids that hold what other backends of the database wait for. */
  async blocking(): Promise<readonly number[]> {
    const { rows } = await this.#query<{ pid: number }>({
      name: "blocking",
      text: `select distinct unnest(pg_blocking_pids(pid)) as pid from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock'`,
    });
    return rows.map(({ pid }) => pid);
  }

  /**
   * The server's snapshot. It differs whenever a transaction that wrote has ended, in whatever order;
   * it may also differ without that.
   */
  async currentSnapshot(): Promise<string> {
    const { rows } = await this.#query<{ snapshot: string }>({
      name: "snapshot",
      text: "select pg_current_snapshot()::text as snapshot",
    });
    return rows[0]?.snapshot ?? "";
  }

  /** The transaction numbers of the server, and of a backend. */
  async transactionNumbers(pid: number): Promise<TransactionNumbers> {
    const { rows } = await this.#query<{ ofBackend: string | null; snapshot: string }>({
      name: "transaction-numbers",
      text: `select pg_current_snapshot()::text as snapshot,
                    (select backend_xid::text from pg_stat_activity where pid = $1) as "ofBackend"`,
      values: [pid],
    });
    return rows[0] ?? { ofBackend: null, snapshot: "" };
  }

  /** Whether a routine of the schema under test takes advisory locks. */
  async takesAdvisoryLocks(): Promise<boolean> {
    const { rowCount } = await this.#query({
      text: `select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
              where n.nspname not in ('pg_catalog', 'information_schema', 'heddle')
                and coalesce(pg_get_function_sqlbody(p.oid), prosrc) ilike '%advisory%' limit 1`,
    });
    return rowCount !== 0;
  }

  /** The keys of the advisory locks that backends hold. */
  async advisoryLocks(pids: readonly number[]): Promise<string[]> {
    const { rows } = await this.#query<{ key: string }>({
      name: "advisory-locks",
      text: `select case objsubid when 1 then (classid::bigint << 32 | objid::bigint)::text
                    else classid || ' ' || objid end as key
               from pg_locks
              where locktype = 'advisory' and granted and pid = any ($1)
              order by classid, objid`,
      values: [pids],
    });
    return rows.map(({ key }) => key);
  }

  /** Cancels the statement of a backend. */
  async cancel(pid: number): Promise<void> {
    await this.#query({ text: "select pg_cancel_backend($1)", values: [pid] });
  }

  /** Signals a backend to end, and does not wait for it. */
  async end(pid: number): Promise<void> {
    await this.#query({ text: "select pg_terminate_backend($1)", values: [pid] });
  }

  /** Ends backends and waits up to 5 s for each, so that none of them can still commit. */
  async terminate(pids: readonly number[]): Promise<void> {
    if (pids.length === 0) return;
    await this.#query({
      text: "select pg_terminate_backend(pid, 5000) from unnest($1::int[]) as pid",
      values: [pids],
    });
  }

  /** Throws HarnessError `CONNECTION_LOST`. */
  async #query<Row extends QueryResultRow>(config: QueryConfig): Promise<QueryResult<Row>> {
    try {
      return await this.#client.query<Row>(config);
    } catch (cause) {
      throw connectionLost(cause instanceof Error ? cause.message : String(cause));
    }
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
