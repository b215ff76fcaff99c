import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATE_NAMES, type GateName } from "../core/control.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { installGates } from "./inner-gates.ts";

let server: Server;
let url: string;
/** Of a database whose routines take values of sequences. */
let withRoutines: string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  url = await databaseWith(SCHEMA);
  withRoutines = await databaseWith(`${SCHEMA}; ${ROUTINES}`);
});

afterAll(() => server?.stop());

async function databaseWith(schema: string): Promise<string> {
  const database = await server.lease();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(schema);
  await client.end();
  return database.url;
}

const SCHEMA = `
create table span (id int, during int4range, exclude using gist (during with &&));
create table counted (a int generated always as identity, b serial, v int);
create table once (a int generated always as identity, v int);
create sequence numbers`;

const ROUTINES = `
create function assigns() returns int language plpgsql as $$ declare x int; begin
  x := nextval('numbers'); x := nextval('numbers') + nextval('numbers'); return x; end $$;
create function inserts() returns int language plpgsql as $$ declare x int; begin
  insert into once (v) values (1); insert into counted (v) values (1) returning a into x; return x; end $$;
create function queries() returns bigint language sql as $$ select 1; select nextval('numbers') + nextval('numbers') $$`;

const INSERT = "insert into span values (1, '[1,5)')";

/** The numbers of the places from which a statement goes on to a part; 0: from before the request. */
async function placesBefore(
  part: string,
  sql: string,
  gates: readonly GateName[] = GATE_NAMES,
  at = url,
) {
  const installed = await installGates(at, gates);
  const found = installed.ungated.find(({ name }) => name === part);
  const follows = [undefined, ...installed.places.keys()].filter((at) => found?.follows(at, sql));
  const named = follows.map((at) => (at === undefined ? "request" : installed.places.get(at)));
  await installed.close();
  return named;
}

const SPAN = "the exclusion constraint on span";
const VALUES = "the calls of nextval in one statement";

test("the row gate is the last one before the check of an exclusion constraint", async () => {
  expect(await placesBefore(SPAN, INSERT)).toEqual([
    { of: "span", line: null, next: "write a row" },
  ]);
  expect(await placesBefore(SPAN, INSERT, ["statement", "lock"])).toEqual(["request"]);
  const others = ["delete from span", "select * from span", "insert into once (v) values (1)"];
  for (const sql of others) {
    expect(await placesBefore(SPAN, sql, ["statement", "lock"])).toEqual([]);
  }
});

test.each([
  ["select nextval('numbers'), nextval('numbers')", ["request"]],
  ["select nextval('numbers') from once", ["request"]],
  ["select nextval('numbers')", []],
  ["insert into once (v) values (1), (2)", []],
  ["select nextval('numbers'); select nextval('numbers')", []],
])("several values of sequences: %s", async (sql, places) => {
  expect(await placesBefore(VALUES, sql)).toEqual(places);
});

test("an insert goes on to the values of its row from its snapshot", async () => {
  const places = await placesBefore(VALUES, "insert into counted (v) values (1)");
  expect(places).toContainEqual({ of: "counted", line: null, next: "use the snapshot" });
  expect(places).not.toContain("request");
});

test.each([
  ["assigns", { of: "assigns()", next: "x := nextval('numbers') + nextval('numbers');" }],
  ["inserts", { of: "counted", next: "use the snapshot" }],
  ["queries", { of: "queries()", next: "select nextval('numbers') + nextval('numbers')" }],
])("several values in a routine: %s", async (name, place) => {
  const places = await placesBefore(VALUES, `select ${name}()`, GATE_NAMES, withRoutines);
  expect(places).toContainEqual(expect.objectContaining(place));
  expect(places).not.toContainEqual(expect.objectContaining({ of: "once" }));
});

test("a block with several calls of nextval can come to them from each of its gates", async () => {
  const block = (calls: string) => `do $$ begin perform ${calls}; end $$`;
  expect(
    await placesBefore(VALUES, block("nextval('numbers') + nextval('numbers')")),
  ).toContainEqual(expect.objectContaining({ of: "a DO block" }));
  expect(await placesBefore(VALUES, block("nextval('numbers')"))).not.toContainEqual(
    expect.objectContaining({ of: "a DO block" }),
  );
});

test.each([
  ["create table if not exists made (id int)", true],
  ["begin; create table made as select 1 as id; commit", true],
  ["create view made as select 1 as id", true],
  ["create type made as (id int)", true],
  ["create sequence if not exists made", true],
  ["create schema if not exists made", true],
  ["create temp table made (id int)", false],
  ["create temp sequence made", false],
  ["create index on once (v)", false],
  ["select 'create table made (id int)'", false],
])("whether clients can race between the look-ups of a CREATE: %s: %s", async (sql, isPart) => {
  const places = await placesBefore("the time between two look-ups of one CREATE", sql);
  expect(places.includes("request")).toBe(isPart);
});
