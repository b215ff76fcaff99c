import { readdirSync, readFileSync } from "node:fs";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { withoutGates } from "./instrument-routine.ts";
import { installRoutineGates, removeRoutineGates } from "./routine-gates.ts";

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
});

afterEach(() => client?.end());

afterAll(() => server?.stop());

/**
 * The rows of the routines in pg_proc, with what depends on them. Before PostgreSQL 17 a default
 * also contains its position in the text of the statement, which is removed here.
 */
async function catalog(): Promise<{ [column: string]: unknown; prosrc: string }[]> {
  const { rows } = await client.query(`
    select p.*, regexp_replace(proargdefaults, ':location \\d+', '', 'g') as proargdefaults,
           pg_get_userbyid(proowner) as owner, obj_description(p.oid, 'pg_proc') as comment,
           array(select d::text from pg_depend d where objid = p.oid or refobjid = p.oid order by 1) as depends
      from pg_proc p join pg_namespace n on n.oid = pronamespace
     where nspname in ('public', 'other') order by p.oid`);
  return rows;
}

const WRITES = "begin perform 1 from pg_class; end";

test("every routine of the booking service gets gates", async () => {
  const folder = new URL("../../migrations/", import.meta.url);
  for (const file of readdirSync(folder).sort()) {
    await client.query(readFileSync(new URL(file, folder), "utf8"));
  }
  const { gates, uninstrumented, missing } = await installRoutineGates(client);
  const counts: { [routine: string]: number } = {};
  for (const { routine } of gates) {
    const name = routine.replace(/\(.*/, "");
    counts[name] = (counts[name] ?? 0) + 1;
  }
  expect(counts).toEqual({
    cancel_booking: 4,
    claim_slot_and_create_booking: 6,
    expire_holds: 4,
    publish_slot: 2,
    record_payment: 9,
    reschedule_booking: 7,
    withdraw_slot: 3,
  });
  expect(gates.map(({ place }) => place)).toEqual(gates.map((_, index) => index + 1));
  expect(missing).toEqual([]);
  expect(uninstrumented).toEqual(
    [
      ...["check_payment_consistency()", "check_slot_booking_consistency()"],
      ...["verify_booking_slot_consistency()", "verify_payment_consistency()"],
    ].map((routine) => ({ routine, reason: expect.stringContaining("it is STABLE") })),
  );
});

test("installing changes only the sources, and removing restores them", async () => {
  await client.query(
    `
    create role heddle_other; create schema other authorization heddle_other;
    create table t (i int);
    create function f(a int default 3, variadic b text[] default '{}') returns setof t language plpgsql
      security definer strict leakproof cost 7 rows 3 set search_path = 'other', public set work_mem = '1MB'
      as $function$ begin return query delete from public.t returning *; end -- $$ \r\n$function$;
    comment on function f is 'what f is for'; revoke all on function f from public;
    grant execute on function f to heddle_other with grant option;
    create procedure other."P x"(inout "A b" int) language plpgsql as 'begin delete from public.t where i = ''1''; end';
    alter procedure other."P x" owner to heddle_other;
    create function fires() returns trigger language plpgsql as $$ begin insert into t values (1); return new; end $$;
    create trigger tr before update on t execute function fires();
    create view v as select * from f()`,
  );
  const before = await catalog();
  await installRoutineGates(client);
  const instrumented = await catalog();
  expect(instrumented.map((it) => ({ ...it, prosrc: withoutGates(it.prosrc) }))).toEqual(before);
  for (const [index, { prosrc }] of instrumented.entries())
    expect(prosrc).not.toBe(before[index]?.prosrc);
  await installRoutineGates(client);
  expect(await catalog()).toEqual(instrumented);
  await removeRoutineGates(client);
  expect(await catalog()).toEqual(before);
  await removeRoutineGates(client);
});

test("a routine that was changed or dropped since is not restored", async () => {
  await client.query(`
    create function f() returns void language plpgsql as '${WRITES}';
    create function g() returns void language plpgsql as '${WRITES}'`);
  await installRoutineGates(client);
  await client.query(
    `drop function g; create or replace function f() returns void language plpgsql as 'begin end'`,
  );
  await removeRoutineGates(client);
  expect((await catalog()).map(({ prosrc }) => prosrc)).toEqual(["begin end"]);
});

test("routines without gates are listed with the reason", async () => {
  await client.query(`
    create extension pg_trgm;
    create function atomic() returns int begin atomic select 1; end;
    create function in_sql() returns int language sql stable as 'select 1';
    create function internal(int, int) returns int language internal as 'int4pl';
    create function stable() returns int language plpgsql stable as 'begin return (select 1 from pg_class); end';
    create function immutable() returns int language plpgsql immutable as 'begin return 1; end';
    create aggregate total(int) (sfunc = internal, stype = int);
    set check_function_bodies = off;
    create function unreadable() returns int language plpgsql as 'begin delete from; what is this; end'`);
  const { gates, uninstrumented } = await installRoutineGates(client);
  expect(gates).toEqual([]);
  expect(uninstrumented).toEqual([
    { routine: "atomic()", reason: expect.stringContaining("BEGIN ATOMIC") },
    { routine: "immutable()", reason: expect.stringContaining("it is IMMUTABLE") },
    { routine: "in_sql()", reason: expect.stringContaining("it is STABLE") },
    { routine: "internal(integer,integer)", reason: "it is written in internal" },
    { routine: "stable()", reason: expect.stringContaining("it is STABLE") },
    { routine: "unreadable()", reason: expect.stringContaining("libpg-query cannot read it") },
  ]);
});

test("only routines of the given schemas get gates", async () => {
  await client.query(`
    create schema other;
    create function f() returns void language plpgsql as '${WRITES}';
    create function other.f() returns void language plpgsql as '${WRITES}'`);
  const routines = async (...schemas: string[]) =>
    (await installRoutineGates(client, { schemas })).gates.map(({ routine }) => routine);
  expect(await routines("public", "other")).toEqual(["other.f()", "f()"]);
  expect(await routines("other")).toEqual(["other.f()"]);
  expect((await catalog()).filter(({ prosrc }) => withoutGates(prosrc) !== prosrc)).toHaveLength(1);
});

test("a call gets a gate unless the called routine has gates for all of its accesses", async () => {
  const body = (call: string) => `language plpgsql as $$ begin perform ${call}; end $$`;
  await client.query(`
    create table t (i int);
    create function in_sql() returns void language sql as 'delete from t';
    create sequence x; create function inlined() returns bigint language sql as 'select nextval(''x'')';
    create function i() returns void ${body("inlined()")};
    create function declares() returns void language plpgsql as $$ declare x int := (select 1 from t); begin end $$;
    create function inner1() returns void language plpgsql as $$ begin delete from t; end $$;
    create function a1() returns void ${body("inner1()")}; create function a2() returns void ${body("a1()")};
    create function b1() returns void ${body("in_sql()")}; create function b2() returns void ${body("b1()")};
    create function c() returns void ${body("declares()")}; create function d() returns void ${body("nextval('x')")};
    create function e() returns void ${body("random()")};
    create function counts() returns bigint language sql as 'select count(*) from t';
    create function fills(i bigint default counts(), j int default 1) returns void language plpgsql as 'begin end';
    create function f() returns void ${body("fills()")};
    create function size(a t) returns bigint language sql as 'select count(*) from t';
    create function g(a t) returns bigint language plpgsql as $$ begin return (a).size; end $$;
    create function h(a t) returns int language plpgsql as $$ begin return a.i; end $$`);
  const { gates, missing } = await installRoutineGates(client);
  expect(gates.map(({ routine }) => routine)).toEqual([
    ...["c()", "counts()", "d()", "i()", "in_sql()", "inner1()", "size(t)"],
  ]);
  expect(missing.map(({ routine }) => routine)).toEqual(["declares()", "inlined()"]);
});

test("a routine that is not volatile has gates where it calls something volatile", async () => {
  const lock = "perform pg_advisory_xact_lock(1)";
  await client.query(`
    create table t (i int);
    create function locks() returns bigint stable language plpgsql as $$
      begin ${lock}; perform 1 from t; ${lock}; return (select count(*) from t); end $$;
    create function calls() returns bigint immutable language plpgsql as $$
      begin perform 1 from t; return locks(); end $$;
    create function reads() returns bigint stable language plpgsql as $$
      begin perform 1 from t; return (select count(*) from t); end $$;
    create function twice() returns bigint stable language plpgsql as $$
      begin return reads() + reads(); end $$;
    create function volatile() returns bigint language plpgsql as $$ begin return locks(); end $$`);
  const { gates, uninstrumented } = await installRoutineGates(client);
  expect(gates.map(({ routine, text }) => `${routine} ${text}`)).toEqual([
    "locks() perform pg_advisory_xact_lock(1);",
    "locks() perform pg_advisory_xact_lock(1);",
    "volatile() return locks();",
  ]);
  expect(uninstrumented.map(({ routine }) => routine)).toEqual(["calls()", "reads()", "twice()"]);
});

test("a gate in a stable function changes no snapshot, and passes in a read-only transaction", async () => {
  await client.query(`
    create table t (i int); insert into t values (1);
    create function counts() returns bigint stable language plpgsql as $$
      declare n bigint;
      begin
        n := (select count(*) from t);
        perform pg_advisory_xact_lock(1);
        return n * 10 + (select count(*) from t);
      end $$;
    create function adds() returns bigint language plpgsql as $$
      begin insert into t values (2); return (select counts()); end $$`);
  await installRoutineGates(client);
  const session = await GatedClient.open(url);
  await session.locks.enable(session.pid);
  session.automatic = false;
  await session.ask("begin read only");
  const counted = session.ask("select counts()");
  await session.reached();
  await client.query("insert into t values (3)");
  await session.go();
  expect(await counted).toBe("11");
  await session.ask("commit");
  const again = session.ask("select counts()");
  await session.reached();
  await client.query("insert into t values (4)");
  await session.go();
  expect(await again).toBe("22");
  session.automatic = true;
  expect(await session.ask("select adds()")).toBe("44");
  await session.end();
});

test("a routine with gates does not run in a parallel worker, which could not wait", async () => {
  await client.query(`
    create table t as select generate_series(1, 20) as i;
    create function f(a int) returns bool language plpgsql parallel safe as $$ begin return exists (select from t where i = a); end $$`);
  await installRoutineGates(client);
  const session = await GatedClient.open(url);
  await session.locks.enable(session.pid);
  // PostgreSQL 15 and older have the second name.
  await session.ask(`select set_config(name, 'on', false) from pg_settings
    where name in ('debug_parallel_query', 'force_parallel_mode')`);
  expect(await session.ask("select count(*)::int from t where f(i)")).toBe(20);
  expect(session.places).toHaveLength(20);
  await session.end();
  await removeRoutineGates(client);
  expect(await catalog()).toMatchObject([{ proparallel: "s" }]);
});

test("an error names the routine that the role cannot change, and no routine is changed", async () => {
  await client.query(`
      create function a() returns void language plpgsql as '${WRITES}';
      create function b() returns void language plpgsql as '${WRITES}';
      create role heddle_limited; alter function a() owner to heddle_limited;
      grant create on schema public to heddle_limited;
      do $$ begin execute format('grant create on database %I to heddle_limited', current_database()); end $$`);
  const before = await catalog();
  await client.query("set role heddle_limited");
  await expect(installRoutineGates(client)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("b() cannot be re-created"),
  });
  await client.query("reset role");
  expect(await catalog()).toEqual(before);
});
