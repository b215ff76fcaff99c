import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { takeSnapshot } from "./snapshot.ts";

let server: Server;
let database: Database;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  database = await server.lease();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
});

const query = async (sql: string, values: readonly unknown[] = []) =>
  (await client.query(sql, [...values])).rows;

const SCHEMA = `
  create schema shop;
  create table shop.customers (id int generated always as identity primary key, name text);
  create table orders (
    id serial primary key,
    customer int not null references shop.customers,
    total int not null,
    doubled int generated always as (total * 2) stored,
    next int references orders deferrable
  );
  create table log (line text);
  create table parts (day int, what text) partition by list (day);
  create table parts_1 partition of parts for values in (1);
  create sequence "a B";
  create function note() returns trigger language plpgsql as
    $$ begin insert into log values (tg_op); return null; end $$;
  create trigger noting after insert or delete on orders execute function note();
  insert into shop.customers (name) values ('ada'), ('bob');
  insert into orders (customer, total, next) values (1, 10, 2), (2, 20, 1);
  insert into parts values (1, 'x');
  select setval('"a B"', 7, false);`;

const STATE = `
  select (select jsonb_agg(c) from shop.customers c) as customers,
         (select jsonb_agg(o) from orders o) as orders,
         (select jsonb_agg(l) from log l) as log,
         (select jsonb_agg(p) from parts p) as parts,
         (select jsonb_agg(s) from (
            select sequencename, last_value from pg_sequences where schemaname <> 'heddle'
          ) s) as sequences,
         (select jsonb_build_array(last_value, is_called) from "a B") as position`;

test("copies states beside the first one, each in place of the earlier copy of its number", async () => {
  const other = await server.lease();
  const aside = new Client({ connectionString: other.url });
  await aside.connect();
  try {
    const ask = async (sql: string, values: readonly unknown[] = []) =>
      (await aside.query(sql, [...values])).rows;
    await ask("create table items (id int generated always as identity primary key, name text)");
    const { restore, copy, dirty } = await takeSnapshot(ask);
    const names = async () =>
      (await ask("select name from items order by id")).map((row) => row.name);
    const add = (name: string) => ask("insert into items (name) values ($1)", [name]);
    await add("a");
    const one = await copy(0);
    await add("b");
    const two = await copy(1);
    await restore();
    expect(await names()).toEqual([]);
    await one();
    expect(await names()).toEqual(["a"]);
    await two();
    expect(await names()).toEqual(["a", "b"]);
    expect(await ask("insert into items (name) values ('c') returning id")).toEqual([{ id: 3 }]);
    const three = await copy(0);
    await restore();
    await three();
    expect(await names()).toEqual(["a", "b", "c"]);
    // The copies are no change of the schema under test.
    expect(await dirty()).toBe(false);
  } finally {
    await aside.end();
    await other.drop();
  }
});

test("restores rows, their order and sequences, and detects changes of the schema", async () => {
  await query(SCHEMA);
  const { restore, dirty } = await takeSnapshot(query);
  const before = await query(STATE);
  await query(`
    update orders set total = total + 1, next = null where id = 1;
    delete from orders; delete from shop.customers where id = 2;
    insert into shop.customers (name) values ('eve');
    insert into orders (customer, total) values (1, 1);
    insert into parts values (1, 'y');
    select nextval('"a B"'), nextval('"a B"');`);
  expect(await query(STATE)).not.toEqual(before);
  await restore();
  expect(await query(STATE)).toEqual(before);
  await restore();
  expect(await query(STATE)).toEqual(before);
  // A second system uses the snapshot of the first, whatever the rows are now.
  await query("delete from log; insert into log values ('later')");
  await (await takeSnapshot(query)).restore();
  expect(await query(STATE)).toEqual(before);
  const [next] = await query("insert into orders (customer, total) values (1, 1) returning id");
  expect(next).toEqual({ id: 3 });
  expect(await dirty()).toBe(false);
  await query("create temporary table aside (id int); drop table aside");
  expect(await dirty()).toBe(false);
  await query("begin; drop table log; rollback");
  expect(await dirty()).toBe(true);
});
