import type { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Commit, Execution, Snapshot } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import { controlConnection } from "../instrumentation/control-connection.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";
import type { LockWaits } from "./lock-waits.ts";
import type { System } from "./system.ts";

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

/** Observes committed state after each step in which it may have changed. */
export class Commits {
  readonly seen: Commit[] = [];
  readonly #trace: readonly TraceEvent[];
  readonly #lockWaits: LockWaits;
  readonly #observe: () => Promise<Snapshot>;
  #steps = 0;
  #read = 0;
  #ended: string;

  private constructor(
    trace: readonly TraceEvent[],
    lockWaits: LockWaits,
    observe: () => Promise<Snapshot>,
    ended: string,
  ) {
    this.#trace = trace;
    this.#lockWaits = lockWaits;
    this.#observe = observe;
    this.#ended = ended;
  }

  /** Begins with what is committed now. `trace` grows. */
  static async begin(
    trace: readonly TraceEvent[],
    lockWaits: LockWaits,
    observe: () => Promise<Snapshot>,
  ): Promise<Commits> {
    return new Commits(trace, lockWaits, observe, await lockWaits.ended());
  }

  /**
   * At rest. The server says whether a transaction has ended that wrote anything: a procedure may
   * commit in the middle, of which no answer tells.
   */
  async afterStep(): Promise<void> {
    this.#steps += this.#trace.slice(this.#read).filter(({ type }) => type === "move").length;
    this.#read = this.#trace.length;
    const ended = await this.#lockWaits.ended();
    if (ended === this.#ended) return;
    this.#ended = ended;
    this.seen.push({ step: this.#steps, snapshot: await this.#observe() });
  }
}

/** What leaks is checked by. */
export type Leftovers = Pick<Execution, "openTransactions" | "advisoryLocks" | "connectionsInUse">;

/**
 * What the sessions of an execution that has come to its end still have. The server is asked for
 * advisory locks only where some may have been taken.
 */
export async function leftovers<State extends Json, Op extends Operation>(
  {
    proxy,
    lockWaits,
    advisory,
  }: {
    readonly proxy: Pick<WireProxy, "sessions">;
    readonly lockWaits: Pick<LockWaits, "advisoryLocks">;
    readonly advisory: boolean;
  },
  system: System<State, Op>,
  trace: Trace,
): Promise<Leftovers> {
  const sessions = [...proxy.sessions];
  const connectionsInUse = system.connectionsInUse?.();
  const locks =
    advisory || trace.some((e) => e.type === "statement" && /advisory/i.test(e.statement.sql));
  return {
    openTransactions: sessions.filter(({ transaction }) => transaction !== "idle").length,
    ...(locks && { advisoryLocks: await lockWaits.advisoryLocks(sessions.map(({ pid }) => pid)) }),
    ...(connectionsInUse !== undefined && { connectionsInUse }),
  };
}

/** Whether the sessions are as they were before. */
export function isClean({
  openTransactions,
  advisoryLocks = [],
  connectionsInUse = 0,
}: Leftovers): boolean {
  return openTransactions === 0 && advisoryLocks.length === 0 && connectionsInUse === 0;
}
