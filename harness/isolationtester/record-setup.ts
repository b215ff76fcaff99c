import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { HarnessError } from "../core/error.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Statement } from "../core/trace.ts";
import type { SystemFactory } from "../execution/system.ts";
import { connect } from "../postgres/connection.ts";
import type { Server } from "../postgres/provider.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import type { ClientQuery } from "../service/scenario-definition.ts";
import { sequencePositions, tablesOf } from "../service/snapshot.ts";
import { literal, withValues } from "./sql-text.ts";

/** The SQL before and after an execution. */
export interface RecordedSetup {
  /** Creates the schema and the initial rows in an empty database. */
  readonly setup: readonly string[];
  /** The queries of the system's `observe()`. */
  readonly check: readonly string[];
}

/**
 * Records the SQL by which a system sets up and observes a fresh database: the schema as the statements
 * that were sent, the initial state as the rows that these left. Where `observe()` sends no query, the
 * queries of `contents()` are the check.
 */
export async function recordSetup<State extends Json, Op extends Operation>(
  server: Server,
  setup: SystemFactory<State, Op>,
  initial: State,
): Promise<RecordedSetup> {
  const database = await server.lease();
  const recorder = await StatementRecorder.open(server, database.url);
  const folder = await mkdtemp(join(server.folder, "e"));
  try {
    await setup.migrate(recorder.url);
    const schema = recorder.take();
    const system = await setup.start({
      gatedUrl: database.url,
      urlFor: async () => database.url,
      sessionsOf: () => 0,
      isBusy: () => false,
      listenOn: async () => {},
      directUrl: recorder.url,
      folder,
    });
    try {
      await system.reset(initial);
      const rows = await storedRows(database.url);
      recorder.take();
      await system.observe().catch((error: unknown) => {
        // A query that reads what only the clients create has been sent all the same.
        if (!(error instanceof HarnessError && error.code === "SERVICE_FAILED")) throw error;
      });
      const observed = recorder.take();
      if (observed.length === 0) await system.contents?.();
      const check = [...observed, ...recorder.take()].map(withValues);
      return { setup: [...schema.map(withValues), ...rows], check };
    } finally {
      await system.stop();
    }
  } finally {
    await recorder.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Records every statement that is sent to a database through its URL. */
class StatementRecorder {
  readonly url: string;
  readonly #proxy: WireProxy;
  readonly #folder: string;
  #statements: Statement[] = [];

  private constructor(proxy: WireProxy, folder: string) {
    this.url = proxy.url;
    this.#proxy = proxy;
    this.#folder = folder;
    proxy.observer = {
      arrived: (pending) => {
        this.#statements.push(pending.statement);
        pending.release();
      },
      reachedGate: (pending) => pending.release(),
      answered: (pending) => pending.deliver(),
      notified: (pending) => pending.deliver(),
      lockWait: () => {},
      closed: () => {},
      settled: () => {},
      // The proxy ends the session with the reason, which the session's driver throws.
      failed: () => {},
    };
  }

  static async open(server: Server, databaseUrl: string): Promise<StatementRecorder> {
    const folder = await mkdtemp(join(server.folder, "r"));
    return new StatementRecorder(await WireProxy.start(databaseUrl, folder), folder);
  }

  /** The statements since the last call, in the order in which they were sent. */
  take(): Statement[] {
    return this.#statements.splice(0);
  }

  async close(): Promise<void> {
    await this.#proxy.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Statements that restore all rows of a database and the positions of its sequences in another
 * database with the same schema. A superuser has to execute them, since they turn off triggers and
 * checks of foreign keys.
 */
async function storedRows(url: string): Promise<string[]> {
  const client = await connect(url);
  const query: ClientQuery = async (sql, values = []) =>
    (await client.query<JsonObject>(sql, [...values])).rows;
  try {
    const tables = await tablesOf(query);
    if (tables.length === 0) return [];
    const inserts: string[] = [];
    for (const { shortName, columns } of tables) {
      if (columns.length > 0) inserts.push(...(await insertsOf(query, shortName, columns)));
    }
    return [
      "set session_replication_role = replica",
      `truncate ${tables.map(({ shortName }) => shortName).join(", ")}`,
      ...inserts,
      ...(await sequencePositions(query)).map((call) => `select ${call}`),
      "reset session_replication_role",
    ];
  } finally {
    await client.end();
  }
}

async function insertsOf(
  query: ClientQuery,
  table: string,
  columns: readonly string[],
): Promise<string[]> {
  const texts = columns.map((column) => `${column}::text`).join(", ");
  const rows = await query(`select array[${texts}] as row from only ${table} order by ctid`);
  const tuples = rows.map(({ row }) => `  (${(row as (string | null)[]).map(literal).join(", ")})`);
  if (tuples.length === 0) return [];
  return [
    `insert into ${table} (${columns.join(", ")}) overriding system value values\n${tuples.join(",\n")}`,
  ];
}
