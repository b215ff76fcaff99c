import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATE_LEVELS, type GateLevel } from "../core/control.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { installGates } from "./inner-gates.ts";

let server: Server;
let url: string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const database = await server.lease();
  url = database.url;
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  await client.end();
});

afterAll(() => server?.stop());

const SCHEMA = `
create table span (id int, during int4range, exclude using gist (during with &&));
create table counted (a int generated always as identity, b serial, v int);
create table once (a int generated always as identity, v int);
create sequence numbers`;

const INSERT = "insert into span values (1, '[1,5)')";

/** The numbers of the places from which a statement goes on to a part; 0: from before the request. */
async function placesBefore(part: string, sql: string, levels: readonly GateLevel[] = GATE_LEVELS) {
  const gates = await installGates(url, levels);
  const found = gates.ungated.find(({ name }) => name === part);
  const follows = [undefined, ...gates.places.keys()].filter((at) => found?.follows(at, sql));
  const named = follows.map((at) => (at === undefined ? "request" : gates.places.get(at)));
  await gates.close();
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
