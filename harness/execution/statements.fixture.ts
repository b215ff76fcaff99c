import { Client, Pool } from "pg";
import type { Execution } from "../core/execution.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { ExecutorOptions } from "./executor-options.ts";
import type { System, SystemContext } from "./system.ts";

/**
 * `statements` sends them one after the other on one connection; an error leads to a rollback. `leak`
 * never gives that connection back. `parallel` sends all at once, each on its own connection. `nested`
 * holds its connection while it asks for another one for its last statement. `throws` rejects after its
 * statements, which a service must not do.
 */
export type Statements = Operation & {
  readonly name: "statements" | "leak" | "parallel" | "nested" | "throws";
  readonly sql: readonly string[];
};

/** The options of tests that need no others. */
export const LIMITS: ExecutorOptions = {
  control: { gates: ["statement"], isolation: "read committed" },
  stepTimeoutMs: 5_000,
  signal: undefined,
};

/** Clients that send statements over one shared pool. */
async function statementSystem(
  context: SystemContext,
  connections: number,
): Promise<System<null, Statements>> {
  const pool = new Pool({ connectionString: context.gatedUrl, max: connections });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const direct = new Pool({ connectionString: context.directUrl, max: 1 });
  direct.on("error", () => {});
  const owners = new Map<number, number>();
  const pidOf = (client: object) => ("processID" in client ? Number(client.processID) : 0);
  const oneByOne = async (operation: Statements, sender: number, seen: string[]) => {
    const client = await pool.connect();
    owners.set(pidOf(client), sender);
    try {
      for (const [at, sql] of operation.sql.entries()) {
        const other = operation.name === "nested" && at === operation.sql.length - 1;
        const results = await (other ? pool : client).query(sql);
        // A message with several statements has several results.
        seen.push(...[results].flat().flatMap(values));
      }
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      owners.delete(pidOf(client));
      if (operation.name !== "leak") client.release();
    }
  };
  const allAtOnce = async (operation: Statements, _: number, seen: string[]) => {
    const results = await Promise.all(operation.sql.map((sql) => pool.query(sql)));
    seen.push(...results.flatMap(values));
  };
  // Statements that are sent together arrive together only on connections that are open already.
  const warm = async () => {
    const size = Math.min(connections, 3);
    const first = await Promise.all(Array.from({ length: size }, () => pool.connect()));
    for (const client of first) client.release();
  };
  await warm();
  /** State outside the database. */
  let performed = 0;
  return {
    reset: async () => {
      performed = 0;
      await direct.query("delete from counter; insert into counter values (1, 0), (2, 0)");
    },
    perform: async (operation, client) => {
      performed++;
      const seen: string[] = [];
      try {
        await (operation.name === "parallel" ? allAtOnce : oneByOne)(operation, client, seen);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "?";
        return { outcome: "fail", code, body: seen };
      }
      if (operation.name === "throws") throw new Error("the service's own mistake");
      return { outcome: "ok", code: "OK", body: seen };
    },
    observe: async () => ({
      counter: (await direct.query("select id, value from counter order by id")).rows,
      performed: [{ operations: performed }],
    }),
    warm,
    // The pool opens lost connections again by itself.
    recover: async () => {},
    ownerOf: (pid) => owners.get(pid),
    queued: () => pool.waitingCount,
    waitsFor: () => (pool.waitingCount > 0 ? "a connection of the pool" : undefined),
    connectionsInUse: () => pool.totalCount - pool.idleCount,
    stop: async () => {
      await Promise.all([pool.end(), direct.end()]);
    },
  };
}

function values({ rows }: { rows: { [column: string]: unknown }[] }): string[] {
  return rows.map((row) => String(Object.values(row)[0]));
}

async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("create table counter (id int primary key, value int)");
  await client.end();
}

/** A system with a pool of that size. */
export const setupOf = (connections: number) => ({
  migrate,
  start: (context: SystemContext) => statementSystem(context, connections),
});

export const STATEMENT_SERVICE = setupOf(8);

export const statements = (...sql: string[]): Statements => ({ name: "statements", sql });

export const add = (id: number): string => `update counter set value = value + 1 where id = ${id}`;

/** One list of operations for each client. */
export const scenario = (...clients: Statements[][]): Scenario<null, Statements> => ({
  initial: null,
  clients,
});

/** The values of the two counters after the execution. */
export const counters = (execution: Pick<Execution, "snapshot">): unknown =>
  execution.snapshot["counter"]?.map((row) => row["value"]);
