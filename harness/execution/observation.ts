import type { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Commit, Execution, Snapshot } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";
import { beginsStep, type Trace, type TraceEvent } from "../core/trace.ts";
import { controlConnection } from "../postgres/connection.ts";
import type { ProxySession } from "../proxy/pending-statement.ts";
import type { LockWaits } from "./lock-waits.ts";

/** A named query over committed state. */
export interface Query {
  readonly name: string;
  /** One statement that only reads. */
  readonly sql: string;
}

/** Runs the user's queries in one session, past the proxy. */
export class Queries {
  readonly #directUrl: string;
  readonly #queries: readonly Query[];
  #client: Client;

  private constructor(directUrl: string, client: Client, queries: readonly Query[]) {
    this.#directUrl = directUrl;
    this.#client = client;
    this.#queries = queries;
  }

  /** Throws HarnessError `USAGE` for a query that fails in this database. */
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

  /** Connects again, after the server was killed and restarted. */
  async reopen(): Promise<void> {
    this.#client = await controlConnection(this.#directUrl, "heddle queries");
  }

  /** The rows of each query, by its name. */
  async rows(): Promise<Snapshot> {
    const rows: [string, JsonObject[]][] = [];
    for (const query of this.#queries) rows.push([query.name, await this.#run(query)]);
    return Object.fromEntries(rows);
  }

  async #run({ name, sql }: Query): Promise<JsonObject[]> {
    const text = `select to_jsonb(result) as row from (${sql.replace(/;\s*$/, "\n")}\n) as result`;
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

/** Observes committed state after each step in which it may have changed. */
export class CommitObserver {
  readonly commits: Commit[] = [];
  readonly #trace: readonly TraceEvent[];
  readonly #lockWaits: Pick<LockWaits, "currentSnapshot">;
  readonly #observe: () => Promise<Snapshot>;
  /** The number of moves among the events of the trace that have been read. */
  #steps = 0;
  #eventsRead = 0;
  /** The server's snapshot when state was last observed. */
  #snapshot: string;

  private constructor(
    trace: readonly TraceEvent[],
    lockWaits: Pick<LockWaits, "currentSnapshot">,
    observe: () => Promise<Snapshot>,
    snapshot: string,
  ) {
    this.#trace = trace;
    this.#lockWaits = lockWaits;
    this.#observe = observe;
    this.#snapshot = snapshot;
  }

  /**
   * Begins with the present committed state.
   *
   * @param trace the trace of the execution, which grows
   */
  static async begin(
    trace: readonly TraceEvent[],
    lockWaits: Pick<LockWaits, "currentSnapshot">,
    observe: () => Promise<Snapshot>,
  ): Promise<CommitObserver> {
    return new CommitObserver(trace, lockWaits, observe, await lockWaits.currentSnapshot());
  }

  /**
   * Observes at quiescence, if a transaction that wrote has ended since the last call. The server's
   * snapshot shows that: a procedure may commit in its middle without any answer that says so.
   */
  async afterStep(): Promise<void> {
    this.#steps += this.#trace.slice(this.#eventsRead).filter(beginsStep).length;
    this.#eventsRead = this.#trace.length;
    const snapshot = await this.#lockWaits.currentSnapshot();
    if (snapshot === this.#snapshot) return;
    this.#snapshot = snapshot;
    this.commits.push({ step: this.#steps, snapshot: await this.#observe() });
  }
}

/** What an execution has left behind in its sessions and pools. */
export type Leftovers = Pick<Execution, "openTransactions" | "advisoryLocks" | "connectionsInUse">;

/**
 * Collects the leftovers of an execution that has ended. It asks the server for advisory locks only
 * where some may have been taken.
 *
 * @param takesAdvisoryLocks whether a routine of the schema takes advisory locks
 */
export async function leftovers(
  openSessions: Iterable<ProxySession>,
  lockWaits: Pick<LockWaits, "advisoryLocks">,
  takesAdvisoryLocks: boolean,
  connectionsInUse: number | undefined,
  trace: Trace,
): Promise<Leftovers> {
  const sessions = [...openSessions];
  const locks =
    takesAdvisoryLocks ||
    trace.some((event) => event.type === "statement" && /advisory/i.test(event.statement.sql));
  return {
    openTransactions: sessions.filter(({ transaction }) => transaction !== "idle").length,
    ...(locks && { advisoryLocks: await lockWaits.advisoryLocks(sessions.map(({ pid }) => pid)) }),
    ...(connectionsInUse !== undefined && { connectionsInUse }),
  };
}

/** Whether an execution has left nothing behind. */
export function isClean({
  openTransactions,
  advisoryLocks = [],
  connectionsInUse = 0,
}: Leftovers): boolean {
  return openTransactions === 0 && advisoryLocks.length === 0 && connectionsInUse === 0;
}
