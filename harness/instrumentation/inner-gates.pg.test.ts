import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { GATE_NAMES } from "../core/control.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installGateFunction } from "./gate-function.ts";
import { GATE_KINDS, installGates } from "./inner-gates.ts";
import { lockGates } from "./lock-gates.ts";

const SCHEMA = `
create table t (id int primary key, v int not null);
create table audit (id int generated always as identity, what text not null);
create function count_up() returns int language plpgsql as $$
declare n int;
begin
  select coalesce(max(id), 0) + 1 into n from t;
  insert into t values (n, (select count(*) from t));
  return n;
end $$;
create function record() returns trigger language plpgsql as $$
begin
  insert into audit (what) values (tg_op || ' ' || new.id || ' ' || new.v);
  return new;
end $$;
create trigger record before insert or update on t for each row execute function record();
create table parts (id int) partition by list (id);
create table part_1 partition of parts for values in (1);
create unlogged table fast (id int);
create table late (id int primary key, t int references t deferrable initially deferred);
create function follow() returns trigger language plpgsql as $$
begin
  insert into fast values (new.id);
  if new.id < 3 then insert into late values (new.id + 1, new.t); end if;
  return null;
end $$;
create constraint trigger follow after insert on late
  deferrable initially deferred for each row execute function follow();
create table child (id int primary key, t int references t, parent int references child);
create function of_two(n int) returns int language sql as $$
  insert into fast values (n);
  select count(*)::int from fast;
$$;
create function choose(n int) returns text language plpgsql as $$
begin
  if exists (select from t where id = n) then return 'first';
  elsif exists (select from fast where id = n) then return 'second';
  end if;
  case when exists (select from t where id = n + 1) then return 'third';
       when exists (select from fast where id = n + 1) then return 'fourth';
       else return 'none';
  end case;
end $$`;

/** Statements whose results and effects gates must not change. */
const STATEMENTS = [
  "select count_up(), count_up()",
  "insert into t values (7, 1), (8, 2) returning *",
  "update t set v = v + 10 where id > 1 returning *",
  "delete from t where id = 7 returning *",
  "table t",
  "table audit",
  "select of_two(4), of_two(5)",
  "select choose(1), choose(4), choose(0), choose(3), choose(9)",
  "insert into parts values (1); insert into part_1 values (1); truncate parts; table parts",
  "begin; insert into late values (1, 1); set constraints all immediate; select * from fast; commit",
  "begin; savepoint s; insert into late values (9, 1); rollback to s; insert into fast values (9); commit",
  "merge into fast using t on fast.id = t.id when matched then update set id = 0 when not matched then insert values (t.id)",
  "with x as (delete from late returning id) select count(*) from x",
  "update t set v = 0 where false",
  "create table made (id int); alter table made add v int; insert into made values (1, 2); table made; drop table made",
  "create temp table mine (id int) on commit drop",
  "insert into child values (1, 1, 1), (2, 2, 1) returning *; update child set t = 1, parent = id; table child",
  "insert into child values (4, null, null) on conflict do nothing; update child set id = id + 10 where id = 4",
  "begin; set constraints all immediate; insert into late values (11, 1), (12, 2); rollback",
];

/** Statements that must fail in the same way. */
const FAILING = [
  "insert into late values (5, 99)",
  "create table t (id int)",
  "insert into child values (5, 1, 1), (6, 99, 1)",
  "update child set t = 99",
];

let server: Server;
let url: string;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

beforeEach(async () => {
  ({ url } = await server.lease());
  client = new Client(url);
  await client.connect();
  await client.query(SCHEMA);
});

afterEach(() => client?.end());

afterAll(() => server?.stop());

/** The definitions of the routines and triggers of the schema under test. */
async function definitions(): Promise<unknown> {
  const { rows } = await client.query(`
    select pg_get_functiondef(p.oid) as definition from pg_proc p
     where pronamespace = 'public'::regnamespace
    union all
    select pg_get_triggerdef(t.oid) from pg_trigger t where not tgisinternal
    union all
    select evtname from pg_event_trigger
    order by 1`);
  return rows;
}

async function outcomes(session: GatedClient): Promise<unknown> {
  await session.client.query("truncate t, audit, parts, fast, late, child restart identity");
  const results: unknown[] = [];
  for (const sql of STATEMENTS) {
    for (const { rows, rowCount } of [await session.client.query(sql)].flat()) {
      results.push({ rows, rowCount });
    }
  }
  for (const sql of FAILING) results.push(await session.fails(sql));
  return results;
}

describe.each(GATE_KINDS)("gates of the kind $name", (kind) => {
  test("change no outcome, whether they are disabled, or enabled and opened", async () => {
    const session = await GatedClient.open(url);
    const expected = await outcomes(session);
    await installGateFunction(client);
    const { places, wire } = await kind.install(client, 5);
    expect(await outcomes(session)).toEqual(expected);
    expect(session.places).toEqual([]);
    await session.locks.enable(session.pid);
    expect(await outcomes(session)).toEqual(expected);
    const reached = [...new Set(session.places)].sort((a, b) => a - b);
    // The gates on the wire are the proxy's: `request-parts.pg.test.ts` tests these. The one before a
    // commit stands in the server as well.
    const { commit: _, written: __, ...wireOnly } = wire ?? {};
    const onWire: number[] = Object.values(wireOnly).map(({ place }) => place);
    const inServer = places.map((_, index) => index + 5).filter((it) => !onWire.includes(it));
    expect(reached).toEqual(inServer);
    await session.end();
  });

  test("are removed without a trace", async () => {
    const before = await definitions();
    await installGateFunction(client);
    await kind.install(client, 1);
    if (kind.name !== "message") expect(await definitions()).not.toEqual(before);
    await kind.remove(client);
    expect(await definitions()).toEqual(before);
  });
});

test("the gates of all kinds are numbered consecutively", async () => {
  const gates = await installGates(url, GATE_NAMES);
  const numbers = [...gates.places.keys()];
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect([...gates.places.values()].slice(0, 3)).toEqual([
    { of: "choose(integer)", line: 3, next: expect.stringContaining("if exists") },
    { of: "choose(integer)", line: 4, next: expect.stringContaining("elsif exists") },
    { of: "choose(integer)", line: 6, next: expect.stringContaining("case when exists") },
  ]);
  expect([...gates.places.values()]).toContainEqual({
    of: "audit",
    line: null,
    next: "write a row",
  });
  await gates.close();
});

test("only gates of the given kinds are installed", async () => {
  const gates = await installGates(url, ["statement", "row"]);
  const places = [...gates.places.values()].map(({ of }) => of);
  expect(places).toEqual(["audit", "child", "fast", "late", "parts", "t"]);
  await gates.close();
});

test("lock gates say what is locked in one step all the same", async () => {
  await installGateFunction(client);
  const { uncontrolled } = await lockGates.install(client, 1);
  expect(uncontrolled).toEqual([expect.stringContaining("in a subquery")]);
});
