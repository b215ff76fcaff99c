import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Touched } from "../core/footprint.ts";
import {
  type InstalledRoutineGates,
  installRoutineGates,
} from "../instrumentation/routine-gates.ts";
import { installRowGates } from "../instrumentation/row-gates.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestClock } from "../postgres/test-clock.ts";
import { type Footprints, readFootprints } from "./footprints.ts";

/** Without uuidv7(): a function of that name may read anything. */
const BEFORE_18 = /1[567]/.test(process.env["HEDDLE_TEST_POSTGRES"] ?? "");
const SCHEMA = `
create table t (id int primary key, v int);
create table u (id int primary key, t_id int references t on delete set null, v int);
create table w (id int, checked int);
create table parts (id int) partition by range (id);
create table parts_1 partition of parts for values from (0) to (10);
create table halves (id int) partition by range (id);
create table halves_1 partition of halves (primary key (id)) for values from (0) to (10);
create table owned (half int references halves_1 on delete cascade);
create foreign data wrapper elsewhere;
create server far_away foreign data wrapper elsewhere;
create table spread (id int) partition by range (id);
create foreign table spread_1 partition of spread for values from (0) to (10) server far_away;
create table secret (id int);
alter table secret enable row level security;
create table ruled (id int);
create rule nothing as on delete to ruled do instead nothing;
create table serials (id serial, who text);
create table rowed (id int);
create table spans (during int4range, exclude using gist (during with &&));
create table dated (id int, made timestamptz default now());
create schema other;
create table other.t (id int);
create view seen as select t.v from t join w using (id);
create domain plain as int check (value > 0);

create function reads_w(int) returns boolean stable language sql as 'select exists (select from w)';
alter table u add check (reads_w(v));
create function plus(p int, q int) returns int stable language sql as 'select p + q + id from w';
create operator |+| (leftarg = int, rightarg = int, function = plus);

create function on_w() returns trigger language plpgsql as $$
begin
  update u set v = 1;
  return new;
end $$;
create trigger on_w before insert on w for each row execute function on_w();

create function steps(p int) returns int language plpgsql as $$
declare x int;
begin
  select v into x from t where id = p;
  x := x + 1;
  if x > 5 then
    insert into w values (x, x);
  end if;
  perform inner_steps();
  return x;
end $$;
create function inner_steps() returns void language plpgsql as $$
begin
  perform nextval('serials_id_seq');
  delete from parts_1;
end $$;
create function top() returns int stable language sql as 'select max(checked) from w';
create function weight(p parts) returns bigint stable language sql as 'select count(*) from w';
create function fills(p int default top()) returns int language plpgsql as $$
begin
  delete from serials;
  return p;
end $$;
create function dynamic() returns void language plpgsql as $$
begin
  execute 'delete from ' || 't';
  raise notice 'this did not create anything';
end $$;
create function makes(name text) returns void language plpgsql as $$
begin
  execute format('create table %I ()', name);
end $$;
create function loops() returns void language plpgsql as $$
declare r record;
begin
  for r in select * from t loop
    update parts set id = r.id;
  end loop;
end $$;
create function modern() returns bigint language sql begin atomic select count(*) from t; end;`;

let server: Server;
let url: string;
let footprints: Footprints;
let installed: InstalledRoutineGates;

beforeAll(async () => {
  server = await startServer(testPostgres);
  ({ url } = await server.lease());
  // It puts the schema heddle on the search path, so that the catalog prints its objects unqualified.
  await TestClock.install(url);
  const client = new Client(url);
  await client.connect();
  client.on("error", () => {});
  await client.query(SCHEMA);
  installed = await installRoutineGates(client);
  await installRowGates(client, { first: 1_000, tables: ["rowed"] });
  await client.end();
  footprints = await readFootprints(url, "read committed");
});

afterAll(() => server?.stop());

function describeTouched(touched: Touched | undefined): string {
  if (touched === undefined) return "unknown";
  const { reads, shares, writes } = touched;
  const part = (verb: string, names: ReadonlySet<string>) =>
    names.size === 0 ? [] : [`${verb} ${[...names].sort().join(", ")}`];
  return [...part("reads", reads), ...part("shares", shares), ...part("writes", writes)].join("; ");
}

const of = (sql: string, place?: number) => describeTouched(footprints.of(sql).at(place));

describe("a request touches", () => {
  test.each([
    ["select 1", ""],
    ["select now(), random(), gen_random_uuid(), current_setting('x')", ""],
    ["select * from w", "reads w"],
    ["select * from t", "reads other.t, t"],
    ["with x as (select * from w) select * from x", "reads w"],
    ["with x as (delete from w returning *) select * from x", "reads w; shares t; writes u, w"],
    ["select v from seen", "reads other.t, t, w"],
    ["select v from seen for update", "writes other.t, t, w"],
    ["select * from w for share", "writes w"],
    ["select 1 where exists (select from w)", "reads w"],
    ["select p.id, p.v, w.id from parts p, w", "reads parts, w"],
    ["select p.weight from parts p", "reads parts, w"],
    ["select (select (p).weight from parts p)", "reads parts, w"],
    ["select (7::bigint).pg_advisory_xact_lock", "writes advisory locks"],
    ["update u set v = 2", "reads w; shares t; writes u"],
    ["select 1 |+| 2", "reads w"],
    ["insert into parts_1 values (1)", "writes parts"],
    ["select * from parts_1", "reads parts"],
    ["update halves set id = 20", "shares owned; writes halves, owned"],
    ["insert into serials (who) values ('x')", "writes serials, serials_id_seq"],
    ["select last_value from serials_id_seq", "writes serials_id_seq"],
    ["select pg_advisory_lock(3, 4)", "shares advisory locks; writes advisory lock 3, 4"],
    ["select pg_try_advisory_xact_lock(0)", "shares advisory locks; writes advisory lock 0"],
    ["select pg_advisory_xact_lock(hashtext('x'))", "writes advisory locks"],
    ["select pg_advisory_xact_lock($1)", "writes advisory locks"],
    ["select pg_advisory_unlock_all()", "writes advisory locks"],
    ["begin", ""],
    ["set lock_timeout = 5", ""],
    ["select set_config('app.user', $1, true), version(), pg_backend_pid()", ""],
  ])("%s: %s", (sql, expected) => {
    expect(of(sql)).toBe(expected);
  });

  test("also its parents and children, and what their triggers and checks lead to", () => {
    expect(of("delete from t")).toBe("reads w; shares t, u; writes other.t, t, u");
  });

  test.each([
    "select * from nowhere",
    "select nowhere()",
    "select * from pg_class",
    "select * from secret",
    "select * from spread",
    "delete from ruled",
    "insert into seen values (1)",
    "select dynamic()",
    "select modern()",
    "select set_config('default_transaction_isolation', 'serializable', false)",
    "select set_config($1, 'y', false)",
    "select txid_current()",
    "select table_to_xml('t', true, true, '')",
    "select nextval($1)",
    "select * into x from t",
    "create table x ()",
    "truncate t",
    "lock table t",
    "do 'begin end'",
    "notify x",
    "prepare transaction 'x'",
    "commit and chain",
    "begin; delete from t; commit",
    "begin isolation level serializable deferrable",
    "discard all",
    "(prepare)",
    "not SQL",
    "",
  ])("anything, where the text is not understood: %s", (sql) => {
    expect(of(sql)).toBe("unknown");
  });
});

describe("a routine with gates touches, step by step,", () => {
  // Once transaction numbers were read, every write depends on every other one.
  beforeAll(async () => {
    footprints = await readFootprints(url, "read committed");
  });

  const placeOf = (text: string) =>
    installed.gates.find((gate) => gate.text.startsWith(text))?.place;

  test("what is between its gates", () => {
    const call = "select steps(1)";
    expect(of(call)).toBe("");
    expect(of(call, placeOf("select v into x"))).toBe("reads other.t, t");
    expect(of(call, placeOf("insert into w"))).toBe("reads w; shares t; writes u, w");
    expect(of(call, placeOf("perform nextval"))).toBe("writes serials_id_seq");
    expect(of(call, placeOf("delete from parts_1"))).toBe("writes parts");
    expect(footprints.of(call).singleStep).toBe(false);
  });

  test("and what its defaults touch, before the first gate", () => {
    expect(of("select fills()")).toBe("reads w");
    expect(of("select fills()", placeOf("delete from serials"))).toBe(
      "reads w; writes serials, serials_id_seq",
    );
  });

  test("all that the request touches, where it returns into the middle of a statement", () => {
    const request = of("insert into w values (1, 1)");
    expect(request).toBe("reads w; shares t; writes u, w");
    expect(of("insert into w values (1, 1)", placeOf("update u"))).toBe(request);
    const all = "reads other.t, t, w; shares t; writes parts, serials_id_seq, u, w";
    expect(of("select steps(1)", placeOf("update u"))).toBe(all);
    expect(of("select steps(id) from w", placeOf("delete from parts_1"))).toBe(all);
    expect(of("select steps(id) from w")).toBe(all);
    expect(of("select steps(1)", 999)).toBe(all);
  });

  test("all of a loop over rows, because a step may resume its query", () => {
    const all = "reads other.t, t; writes parts";
    expect(of("select loops()")).toBe(all);
    expect(of("select loops()", placeOf("update parts"))).toBe(all);
  });

  test("and a write to a table with row gates is never a single step", () => {
    expect(footprints.of("delete from rowed").singleStep).toBe(false);
    expect(of("delete from rowed")).toBe("writes rowed");
    expect(footprints.of("delete from serials").singleStep).toBe(true);
  });
});

test.each([
  ["select 1, 'x', null", "safe"],
  ["select 1 / 0", "fallible"],
  ["select current_setting('x'), set_config('app.user', 'ada', true)", "fallible"],
  ["select gen_random_uuid(), current_user", "fallible"],
  ["select now()", undefined],
  ["select current_timestamp", undefined],
  ["select clock_timestamp()", undefined],
  ["select nextval('serials_id_seq')", undefined],
  ["select pg_try_advisory_lock(1)", undefined],
  ["select * from w", undefined],
  ["select makes('x')", undefined],
  ["select * from pg_class", undefined],
  ["begin", undefined],
])("%s touches nothing that sessions share: %s", async (sql, unshared) => {
  const fresh = await readFootprints(url, "read committed");
  expect(fresh.of(sql).unshared).toBe(unshared);
});

test.each([
  ["create or replace function top() returns int language sql as 'select 1'", true],
  ["create trigger x before insert on t for each row execute function on_w()", true],
  ["begin; drop table w; commit", true],
  ["do 'begin end'", true],
  ["select makes('x')", true],
  ["select dynamic()", false],
  ["create temp table x (id int)", false],
  ["begin; truncate t; commit", false],
  ["(prepare)", false],
])("%s may change the schema: %s", async (sql, changes) => {
  const fresh = await readFootprints(url, "read committed");
  fresh.of("select * from t");
  expect(fresh.stale).toBe(false);
  fresh.of(sql);
  expect(fresh.stale).toBe(changes);
});

test("the default isolation levels of the database and of roles count", async () => {
  const { name, url } = await server.lease();
  const client = new Client(url);
  await client.connect();
  const isolation = async () => (await readFootprints(url, "read committed")).isolation;
  const level = "set default_transaction_isolation to";
  expect(await isolation()).toBe("read committed");
  await client.query(`alter database ${name} ${level} 'repeatable read'`);
  expect(await isolation()).toBe("repeatable read");
  await client.query("create role heddle_strict");
  await client.query(`alter role heddle_strict in database ${name} ${level} serializable`);
  expect(await isolation()).toBe("serializable");
  await client.end();
});

test.each([
  ["insert into rowed values (1)", "row"],
  ["insert into rowed values ($1) returning id", "row"],
  ["insert into serials (who) values ('x')", "snapshot"],
  ["insert into rowed values (1), (2)", undefined],
  ["insert into rowed select 1", undefined],
  ["insert into rowed values (1) on conflict do nothing", undefined],
  ["with x as (select 1) insert into rowed values (1)", undefined],
  ["insert into rowed values ((select max(id) from t))", undefined],
  ["insert into rowed values (steps(1))", undefined],
  ["insert into rowed values (1); insert into rowed values (2)", undefined],
  ["insert into spans values ('[1,5)')", undefined],
  ["insert into dated (id) values (1)", undefined],
  ["insert into w values (1)", undefined],
  ["insert into u values (1)", undefined],
  ["update rowed set id = 1", undefined],
])("how far a request gets unnoticed: %s", (sql, gate) => {
  expect(footprints.of(sql).unnoticed).toBe(gate);
});

test.each([
  ["select 1", "", undefined],
  ["select now()", "start", undefined],
  ["select localtimestamp", "start", undefined],
  ["insert into t values (1, extract(year from 'now'::timestamptz))", "start", undefined],
  ["insert into dated values (1)", "start", undefined],
  ["update dated set id = 2", "start", undefined],
  ["delete from t", "", undefined],
  // The schema has a default with now(), which a text made at run time may use.
  ["select dynamic()", "start", undefined],
  ["select clock_timestamp()", "clock", undefined],
  ["select statement_timestamp()", "clock", undefined],
  ["select uuidv7()", BEFORE_18 ? "start,clock" : "clock", undefined],
  ["set app.owner = 'ann'", "", "changes"],
  ["set local app.owner = 'ann'", "", undefined],
  ["set transaction read only", "", undefined],
  ["set role nobody", "", "changes"],
  ["reset app.owner", "", undefined],
  ["show app.owner", "", "reads"],
  ["show server_version", "", undefined],
  ["select set_config('app.owner', $1, false)", "", "changes"],
  ["select set_config('app.owner', $1, true)", "", undefined],
  ["select set_config('app.owner', $1, $2)", "", "changes"],
  ["select current_setting('app.owner', true)", "", "reads"],
  ["select pg_advisory_lock(1)", "", "changes"],
  ["select pg_advisory_xact_lock(1)", "", undefined],
  ["select lastval()", "start", "changes"],
  ["select setseed(0.5)", "", "changes"],
])("of %s the times that it reads are known, and what it leaves in its session", (sql, times, ofSession) => {
  const request = footprints.of(sql);
  const read = [
    ...(request.readsStart ? ["start"] : []),
    ...(request.readsClock() ? ["clock"] : []),
  ];
  expect([read.join(), request.ofSession]).toEqual([times, ofSession]);
});

test.each([
  "create temp table mine (id int)",
  "prepare mine as select 1",
  "listen mine",
  "declare mine cursor with hold for select 1",
])("%s leaves something in its session", async (sql) => {
  // These may change the schema: the footprints of the other tests have to stay valid.
  const own = await readFootprints(url, "read committed");
  expect(own.of(sql).ofSession).toBe("changes");
});

test("a request that sets the isolation level is noticed, for a transaction or a session", async () => {
  const isolates = (sql: string) => {
    const { control } = footprints.of(sql);
    return control.type === "private" ? control.isolates : control.type;
  };
  expect(footprints.of("begin").control).toEqual({ type: "private", safe: true, begins: true });
  expect(footprints.of("rollback to s").control).toEqual({
    type: "private",
    savepoint: { does: "return", name: "s" },
  });
  expect(isolates("begin isolation level repeatable read")).toBe("transaction");
  expect(isolates("set transaction isolation level serializable")).toBe("transaction");
  expect(isolates("set local default_transaction_isolation = 'serializable'")).toBe("transaction");
  expect(isolates("start transaction read only")).toBe(undefined);
  const keepsSnapshot = (sql: string) => {
    const { control } = footprints.of(sql);
    return control.type === "private" && control.keepsSnapshot === true;
  };
  expect(keepsSnapshot("begin isolation level repeatable read")).toBe(true);
  expect(keepsSnapshot("start transaction isolation level serializable, read only")).toBe(true);
  expect(keepsSnapshot("set transaction isolation level serializable")).toBe(true);
  expect(keepsSnapshot("set transaction_isolation = 'repeatable read'")).toBe(true);
  expect(keepsSnapshot("begin isolation level read committed")).toBe(false);
  expect(keepsSnapshot("set transaction isolation level read uncommitted")).toBe(false);
  expect(keepsSnapshot("set transaction_isolation to default")).toBe(false);
  expect(keepsSnapshot("set local default_transaction_isolation = 'serializable'")).toBe(false);
  expect(footprints.isolation).toBe("read committed");
  expect(isolates("set default_transaction_isolation = 'serializable'")).toBe("session");
  expect(footprints.isolation).toBe("serializable");
});
