import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { controlConnection, rowsOf } from "./connection.ts";
import { type Database, type Server, startServer } from "./provider.ts";
import { rememberSchema, SchemaUndo } from "./schema-undo.ts";
import { testPostgres } from "./server.fixture.ts";

const SETUP = `
  create schema shop;
  create table shop.items (id serial primary key, stock int, name text);
  create table log (line text);
  create table parts (day text primary key, what int) partition by list (day);
  create function twice(a int) returns int language sql as 'select 2 * a';
  create type size as enum ('s', 'm');
  create view many as select * from shop.items where stock > 3;
  create sequence numbers;
  grant select on shop.items to public;
  comment on table log is 'lines';
  insert into shop.items (stock) select g from generate_series(1, 50) g;
  analyze shop.items;
  select nextval('numbers');`;

let server: Server;
let database: Database | undefined;
let client: Client;
let undo: SchemaUndo;

beforeAll(async () => {
  server = await startServer(testPostgres);
});
afterAll(() => server?.stop());

const query = (sql: string, values: readonly unknown[] = []): Promise<JsonObject[]> =>
  rowsOf(client, sql, values);

async function open(setup = SETUP): Promise<void> {
  database = await server.lease();
  client = await controlConnection(database.url, "test");
  await query(setup);
  await query("create schema heddle");
  await rememberSchema(query, setup === SETUP ? ["setval('public.numbers', 1, true)"] : []);
  undo = new SchemaUndo(database.url);
}

async function close(): Promise<void> {
  if (database === undefined) return;
  await undo.close();
  await client.end();
  await database.drop();
  database = undefined;
}

/** A hash of each catalog, apart from files and transaction numbers, read in another way than by `undo`. */
async function catalog(): Promise<readonly JsonObject[]> {
  const tables = await query(
    `select relname as name from pg_class
      where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' and not relisshared`,
  );
  const hashes = tables.map(({ name }) => {
    const row =
      name === "pg_class" ? "to_jsonb(t) - '{relfilenode,relfrozenxid,relminmxid}'::text[]" : "t";
    return `select '${name}' as name, md5(string_agg((${row})::text, '' order by (${row})::text)) as hash from ${name} as t`;
  });
  return query(`${hashes.join(" union all ")} order by name`);
}

describe("what is new is dropped, and the catalog is as it was", () => {
  let before: readonly JsonObject[];
  beforeAll(async () => {
    await open();
    before = await catalog();
  });
  afterAll(close);

  test.each([
    ["nothing", "select 1"],
    ["a sequence's position", "select nextval('numbers'), nextval('numbers')"],
    [
      "tables",
      "create table a (id serial primary key, t text unique); create table b (a int references a); insert into a values (1, 'x')",
    ],
    ["a table that refers to an old one", "create table lines (item int references shop.items)"],
    [
      "a schema",
      `create schema s; create table s.t (id int); create type s.e as enum ('a'); create view s.v as select * from s.t;
       create function s.f() returns int language sql as 'select 1'; create table u (e s.e)`,
    ],
    [
      "a partition",
      "create table one (day text primary key, what int); alter table parts attach partition one for values in ('a')",
    ],
    ["an index of an old table", "create index on log (line)"],
    [
      "a trigger of an old table",
      `create function noted() returns trigger language plpgsql as 'begin return new; end';
       create trigger noting before insert on log for each row execute function noted()`,
    ],
    [
      "a rule and a policy of an old table",
      "create rule r as on delete to log do instead nothing; create policy p on log",
    ],
    [
      "constraints of an old table",
      "alter table log add constraint c check (line <> ''), add unique (line)",
    ],
    [
      "types, a view, a sequence, routines",
      `create type e as enum ('a'); create domain d as int check (value > 0); create type c as (a int, b text);
       create type r as range (subtype = int); create view v as select 1 as x; create sequence q;
       create aggregate total (int) (sfunc = int4pl, stype = int); create materialized view m as select 2 as y;
       create procedure p() language sql as 'select 1'; create function f(e, c) returns d language sql as 'select 1::d'`,
    ],
    ["statistics", "create statistics st on stock, name from shop.items"],
    ["an extension without operators", "create extension fuzzystrmatch"],
    [
      "a function that is replaced by itself",
      "create or replace function twice(a int) returns int language sql as 'select 2 * a'",
    ],
    ["the files of a table", "truncate log, shop.items"],
    ["temporary objects", "create temporary table t (id int); discard temp"],
  ])("%s", async (_, change) => {
    await query(change);
    expect(await undo.undo()).toBe(true);
    expect(await catalog()).toEqual(before);
    expect(await query("select nextval('numbers')")).toEqual([{ nextval: "2" }]);
    expect(await undo.undo()).toBe(true);
  });

  test("only so often that the files of the catalog stay small", async () => {
    const limited = new SchemaUndo(database?.url ?? "", 2);
    const undone = [await limited.undo(), await limited.undo(), await limited.undo()];
    expect(undone).toEqual([true, true, false]);
    await limited.close();
    expect(await limited.undo()).toBe(true);
    await limited.close();
  });
});

describe("what cannot be undone is noticed", () => {
  afterEach(close);

  test.each([
    ["a column", "alter table log add column at int"],
    ["a column that is gone", "alter table log drop column line"],
    ["a table that is gone", "drop table log"],
    ["a table that was made anew", "drop table log; create table log (line text)"],
    [
      "a view that was made anew",
      "drop view many; create view many as select * from shop.items where stock > 3",
    ],
    [
      "a function with another body",
      "create or replace function twice(a int) returns int language sql as 'select 3 * a'",
    ],
    ["a value of an enumeration", "alter type size add value 'l'"],
    ["a default", "alter table log alter line set default 'x'"],
    ["rights", "revoke select on shop.items from public"],
    ["rights of the system's functions", "revoke execute on function pg_catalog.now() from public"],
    ["rights of a schema", "grant create on schema public to public"],
    ["default rights", "alter default privileges grant select on tables to public"],
    ["a comment", "comment on table log is 'other lines'"],
    ["a new comment", "comment on table shop.items is 'items'"],
    ["a name", "alter table log rename to logs"],
    ["a sequence's step", "alter sequence numbers increment 2"],
    [
      "a setting of the database",
      "do $$ begin execute format('alter database %I set work_mem = 100', current_database()); end $$",
    ],
    [
      "a comment on the database",
      "do $$ begin execute format('comment on database %I is %L', current_database(), 'mine'); end $$",
    ],
    ["statistics of the planner", "delete from shop.items where id > 3; analyze shop.items"],
    ["a large object", "select lo_from_bytea(0, 'x')"],
    ["an operator", "create operator === (leftarg = int, rightarg = int, function = int4eq)"],
    ["an index that is gone", "alter table shop.items drop constraint items_pkey"],
  ])("%s", async (_, change) => {
    await open();
    await query(change);
    expect(await undo.undo()).toBe(false);
  });

  test("nothing is tried any more after five failures", async () => {
    await open();
    await query("comment on table log is 'other lines'");
    for (let time = 0; time < 4; time++) expect(await undo.undo()).toBe(false);
    await query("comment on table log is 'lines'");
    expect(await undo.undo()).toBe(true);
    await query("comment on table log is 'other lines'");
    for (let time = 0; time < 5; time++) expect(await undo.undo()).toBe(false);
    await query("comment on table log is 'lines'");
    expect(await undo.undo()).toBe(false);
  });

  test.each([
    [
      "a materialized view",
      "create materialized view m as select 1 as x",
      "refresh materialized view m",
    ],
    [
      "a table of an extension",
      "create table t (id int); create extension pg_trgm; alter extension pg_trgm add table t",
      "create table u (id int)",
    ],
  ])("%s has rows that no restorer puts back", async (_, setup, change) => {
    await open(setup);
    await query(change);
    expect(await undo.undo()).toBe(false);
  });
});
