import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installGateFunction } from "./gate-function.ts";
import { GateLocks } from "./gate-locks.ts";
import { installRoutineGates } from "./routine-gates.ts";

let server: Server;
let database: Database;
let direct: Client;
let session: GatedClient;

beforeAll(async () => {
  server = await startServer(testPostgres);
  database = await server.lease();
  direct = new Client(database.url);
  await direct.connect();
  await direct.query(`
    create table t (i int);
    create function twice() returns int[] language plpgsql as $$
      declare a int; b int; begin
        select count(*) into a from t; select count(*) into b from t; return array[a, b]; end $$;
    create function caught() returns int language plpgsql as $$
      begin
        begin insert into t values (1); insert into t values (1 / 0); exception when division_by_zero then end;
        insert into t values (2); return (select count(*) from t); end $$`);
  await installRoutineGates(direct);
});

beforeEach(async () => {
  await direct.query("truncate t");
  session = await GatedClient.open(database.url);
  session.automatic = false;
  await session.locks.enable(session.pid);
});

afterEach(() => session.end());

afterAll(async () => {
  await direct?.end();
  await server?.stop();
});

const one = async (client: Client, sql: string): Promise<unknown> =>
  Object.values((await client.query<{ [column: string]: unknown }>(sql)).rows[0] ?? {})[0];

const locksOf = (pid: number) =>
  one(direct, `select count(*)::int from pg_locks where locktype = 'advisory' and pid = ${pid}`);

async function waits(pid: number): Promise<void> {
  const sql = `select exists (select from pg_locks where pid = ${pid} and not granted)`;
  while ((await one(direct, sql)) !== true);
}

test("a session waits at each gate until it is opened, and gates are before statements", async () => {
  const done = session.ask("select twice()");
  const first = await session.reached();
  await direct.query("insert into t values (1)");
  await session.go();
  expect(await session.reached()).toBe(first + 1);
  await direct.query("insert into t values (2)");
  await session.go();
  expect(await done).toEqual([1, 2]);
  expect(await locksOf(session.pid)).toBe(0);
});

test.each([
  ["read committed", [1, 2]],
  ["repeatable read", [0, 0]],
  ["serializable", [0, 0]],
])("a gate does not change the snapshots of %s", async (level, seen) => {
  await session.ask(`begin isolation level ${level}`);
  const done = session.ask("select twice()");
  for (const value of [1, 2]) {
    await session.reached();
    await direct.query("insert into t values ($1)", [value]);
    await session.go();
  }
  expect(await done).toEqual(seen);
  await session.ask("commit");
});

test("with gates too, a transaction has no snapshot before its first statement", async () => {
  await session.ask("begin isolation level repeatable read");
  await direct.query("insert into t values (1)");
  session.automatic = true;
  expect(await session.ask("select twice()")).toEqual([1, 1]);
  await session.ask("rollback");
});

test.each([
  "begin read only",
  "begin isolation level serializable read only deferrable",
])("a gate works after %s", async (begin) => {
  session.automatic = true;
  await session.ask(begin);
  expect(await session.ask("select twice()")).toEqual([0, 0]);
  expect(session.places).toHaveLength(2);
  await session.ask("commit");
});

test("a rollback does not change the lock parity", async () => {
  session.automatic = true;
  for (let i = 0; i < 3; i++) {
    await session.ask("begin; savepoint s");
    expect(await session.ask("select caught()")).toBe(1);
    await session.ask("rollback to s; rollback");
    expect(await session.ask("select twice()")).toEqual([0, 0]);
  }
  expect(session.places).toHaveLength(3 * 6);
});

test("a wait at a gate ignores lock_timeout and is not logged as a lock wait", async () => {
  await session.ask("set lock_timeout = '1ms'");
  expect(await session.ask("show deadlock_timeout")).toBe("1ms");
  const done = session.ask("select twice()");
  await session.reached();
  await waits(session.pid);
  await direct.query("select pg_sleep(0.02)");
  session.automatic = true;
  await session.go();
  expect(await done).toEqual([0, 0]);
  expect(session.notices).toEqual([]);
  expect(await session.ask("show lock_timeout")).toBe("1ms");
});

test("gates stay enabled when the application resets its session", async () => {
  await session.ask("select pg_advisory_unlock_all()");
  await session.ask("discard all");
  await session.ask("reset all");
  session.automatic = true;
  await session.ask("select twice()");
  expect(session.places).toHaveLength(2);
});

describe("a cancel", () => {
  test("ends the wait, leaves no lock, and does not change the parity", async () => {
    for (let i = 0; i < 3; i++) {
      const done = session.fails("select twice()");
      await session.reached();
      await direct.query("select pg_cancel_backend($1)", [session.pid]);
      expect(await done).toBe("57014");
      expect(await locksOf(session.pid)).toBe(0);
      const again = session.ask("select twice()");
      await session.reached();
      session.automatic = true;
      await session.go();
      expect(await again).toEqual([0, 0]);
      session.automatic = false;
    }
  });

  test("at the moment when the gate opens leaves no lock either", async () => {
    const ended = new Set<string | undefined>();
    for (let i = 0; i < 100; i++) {
      const done = session.fails("select twice()");
      await session.reached();
      const cancelled = direct.query("select pg_cancel_backend($1)", [session.pid]);
      session.automatic = true;
      await Promise.all([session.go(), cancelled]);
      ended.add(await done);
      // The signal may arrive late.
      await session.fails("select");
      expect(await locksOf(session.pid)).toBe(0);
      session.automatic = false;
    }
    expect([...ended].filter((it) => it !== undefined && it !== "57014")).toEqual([]);
  });
});

test("a session whose gates are disabled continues and passes all gates", async () => {
  const done = session.ask("select twice()");
  await session.reached();
  await session.locks.disable(session.pid);
  expect(await done).toEqual([0, 0]);
  expect(session.places).toHaveLength(1);
  await session.locks.disable(session.pid);
  await session.ask("select twice()");
  expect(session.places).toHaveLength(1);
});

test("a session continues when the harness disconnects", async () => {
  const done = session.ask("select twice()");
  await session.reached();
  await waits(session.pid);
  const holder = await one(direct, `select (pg_blocking_pids(${session.pid}))[1]`);
  await direct.query("select pg_terminate_backend($1)", [holder]);
  expect(await done).toEqual([0, 0]);
});

describe("a gate is not opened", () => {
  test("with the other parity, or for a session whose gates are not enabled", async () => {
    await expect(session.locks.open(session.pid, 1)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(session.locks.open(1, 0)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("when another session uses the harness's locks", async () => {
    const done = session.fails("select twice()");
    await session.reached();
    await direct.query("select pg_advisory_lock(1214604337, $1)", [session.pid]);
    await expect(session.go()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await direct.query("select pg_advisory_unlock_all()");
    await direct.query("select pg_cancel_backend($1)", [session.pid]);
    expect(await done).toBe("57014");
  });
});

test("enabling twice has the effect of enabling once", async () => {
  await session.locks.enable(session.pid);
  await session.locks.disable(session.pid);
  await session.ask("select twice()");
  expect(session.places).toEqual([]);
});

test("an ordinary role can install the gate function", async () => {
  const other = await server.lease();
  const client = new Client(other.url);
  await client.connect();
  await client.query(
    `create role heddle_owner; grant create on database ${other.name} to heddle_owner`,
  );
  await client.query("set role heddle_owner");
  await installGateFunction(client);
  await installGateFunction(client);
  const locks = new GateLocks(direct);
  await locks.enable(1);
  await locks.disable(1);
  expect(await one(client, "select heddle.gate(1)")).toBe(false);
  await client.end();
});

test("a schema heddle of the application is left alone", async () => {
  const client = new Client((await server.lease()).url);
  await client.connect();
  await client.query("create schema heddle");
  await expect(installGateFunction(client)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(
    await one(
      client,
      "select count(*)::int from pg_proc where pronamespace = 'heddle'::regnamespace",
    ),
  ).toBe(0);
  await client.end();
});
