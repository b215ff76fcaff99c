import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { commitGates } from "./commit-gates.ts";
import { definitionGates } from "./definition-gates.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installGateFunction } from "./gate-function.ts";

/** Each row of `chain` leads to the next one by a deferred trigger, up to 4, with a notice for each. */
const SCHEMA = `
create table plain (id int);
create table chain (id int);
create function follow() returns trigger language plpgsql as $$
begin
  raise notice 'deferred %', new.id;
  if new.id < 4 then insert into chain values (new.id + 1); end if;
  return null;
end $$;
create constraint trigger follow after insert on chain
  deferrable initially deferred for each row execute function follow();
create role guest;
grant insert, select on plain to guest`;

let server: Server;
let client: Client;
let session: GatedClient;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

beforeEach(async () => {
  const { url } = await server.lease();
  client = new Client(url);
  await client.connect();
  await client.query("drop role if exists guest");
  await client.query(SCHEMA);
  await installGateFunction(client);
  await commitGates.install(client, 1);
  session = await GatedClient.open(url);
  session.automatic = false;
  await session.locks.enable(session.pid);
});

afterEach(async () => {
  await session?.end();
  await client?.query("drop owned by guest; drop role guest");
  await client?.end();
});

afterAll(() => server?.stop());

test.each([
  ["the last deferred trigger of an explicit transaction", "insert into chain values (1)", 4],
  [
    "deferred triggers that were queued after the first write",
    "insert into plain values (1); insert into chain values (3); insert into chain values (4)",
    3,
  ],
  [
    "triggers that SET CONSTRAINTS fires early, and later ones",
    "insert into chain values (4); set constraints all immediate; set constraints all deferred; insert into chain values (3)",
    3,
  ],
])("the gate is after %s, once", async (_, sql, deferred) => {
  await session.client.query("begin");
  await session.client.query(sql);
  const done = session.ask("commit");
  expect(await session.reached()).toBe(1);
  expect(session.notices).toHaveLength(deferred);
  const { rows } = await client.query("table chain");
  expect(rows).toEqual([]);
  await session.go();
  await done;
  expect(session.places).toEqual([1]);
  expect((await client.query("table chain")).rows.length).toBeGreaterThan(0);
});

test("SET CONSTRAINTS fires no gate, however often it is sent", async () => {
  session.automatic = true;
  for (const sql of [
    "begin",
    "insert into plain values (1)",
    "set constraints all immediate",
    "insert into plain values (2)",
    "set constraints all immediate",
  ]) {
    await session.ask(sql);
  }
  expect(session.places).toEqual([]);
  await session.ask("commit");
  expect(session.places).toEqual([1]);
});

test.each([
  ["a transaction that only reads", "select * from plain for update"],
  ["a statement that finds no row", "delete from plain"],
  ["a rollback", "begin; insert into plain values (1); rollback"],
  [
    "a transaction whose writes were rolled back",
    "begin; savepoint s; insert into plain values (1); rollback to s; commit",
  ],
])("there is no gate for %s", async (_, sql) => {
  session.automatic = true;
  await session.ask(sql);
  expect(session.places).toEqual([]);
});

test("a role without rights on Heddle's schema stops too", async () => {
  session.automatic = true;
  await session.ask("set role guest");
  await session.ask("insert into plain values (1)");
  expect(session.places).toEqual([1]);
});

test("tables with a commit gate can be truncated and altered in the transaction that wrote them", async () => {
  session.automatic = true;
  await session.ask(
    "begin; insert into plain values (1); truncate plain; alter table plain add x int; commit",
  );
  expect(session.places).toEqual([1]);
});

test("a prepared transaction stops before it is prepared", async () => {
  const { rows } = await client.query("show max_prepared_transactions");
  if (rows[0].max_prepared_transactions === "0") return;
  session.automatic = true;
  await session.ask("begin; insert into plain values (1)");
  await session.ask("prepare transaction 'one'");
  expect(session.places).toEqual([1]);
  await session.ask("commit prepared 'one'");
});

test("a role that may not create event triggers has no definition gates, and is told so", async () => {
  await client.query("grant create on schema heddle to guest; set role guest");
  const { places, uncontrolled } = await definitionGates.install(client, 1);
  await client.query("reset role");
  expect(places).toEqual([]);
  expect(uncontrolled?.join()).toMatch(/only a superuser may create event triggers/);
});
