import { Client, Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { openPool } from "./service.ts";

let server: Server;
let url: string;
let beside: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  ({ url } = await server.lease());
  beside = new Client({ connectionString: url });
  await beside.connect();
});

afterAll(async () => {
  await beside.end();
  await server.stop();
});

const poolOf = (connectionString: string, max: number) =>
  new Pool({ connectionString, max, idleTimeoutMillis: 0 });

const OTHERS = `
  from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend'
   and pid <> pg_backend_pid()`;

async function others(): Promise<number> {
  const { rows } = await beside.query<{ n: number }>(`select count(*)::integer as n ${OTHERS}`);
  return rows[0]?.n ?? -1;
}

/** Waits until all other backends have ended, which takes a moment after their clients' end. */
async function noOtherBackend(): Promise<void> {
  await expect.poll(others).toBe(0);
}

test("opens its connections before the first query, and uses the last one first", async () => {
  const { pool, close } = await openPool(poolOf(url, 3), 3);
  expect(await others()).toBe(3);
  const pid = "select pg_backend_pid() as pid";
  const first = await pool.query(pid);
  expect((await pool.query(pid)).rows).toEqual(first.rows);
  await close();
  await noOtherBackend();
});

test("closes connections that were never released, and those in the middle of a query", async () => {
  const { pool, close } = await openPool(poolOf(url, 2), 2);
  const leaked = await pool.connect();
  await leaked.query("begin");
  const sleeping = pool.query("select pg_sleep(60)");
  const ended = expect(sleeping).rejects.toThrow();
  const asleep = `select pid ${OTHERS} and state = 'active' and query like '%pg_sleep%'`;
  await expect.poll(async () => (await beside.query(asleep)).rowCount).toBe(1);
  await close();
  await ended;
  // The server notices the end of the connection only after the query.
  await beside.query(`select pg_terminate_backend(pid) from (${asleep}) sleeping`);
  await noOtherBackend();
});

test("survives the loss of its connections, in use or idle", async () => {
  const { pool, close } = await openPool(poolOf(url, 2), 2);
  const lent = await pool.connect();
  const gone = new Promise((resolve) => lent.once("end", resolve));
  await beside.query(`select pg_terminate_backend(pid) ${OTHERS}`);
  await gone;
  await expect(lent.query("select 1")).rejects.toThrow();
  lent.release(true);
  // The pool notices the loss of the idle connection a moment later.
  await expect.poll(() => pool.totalCount).toBe(0);
  expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await close();
  await noOtherBackend();
});

test("rejects, and leaves nothing open, if a connection cannot be opened", async () => {
  await beside.query(
    `do $$ begin execute format('alter database %I connection limit 3', current_database()); end $$`,
  );
  await beside.query("create role guest login");
  await expect(openPool(poolOf(url.replace("postgres@", "guest@"), 5), 5)).rejects.toThrow(
    /too many connections/,
  );
  await noOtherBackend();
});
