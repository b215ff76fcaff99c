import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "./provider.ts";
import { testPostgres } from "./server.fixture.ts";
import { TestClock } from "./test-clock.ts";

let server: Server;
let clock: TestClock;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const { url } = await server.lease();
  await TestClock.install(url);
  clock = await TestClock.open(url);
  client = new Client({ connectionString: url });
  await client.connect();
  await client.query("create table t (at timestamptz default now())");
});

afterAll(async () => {
  await client?.end();
  await clock?.close();
  await server?.stop();
});

/** The whole hours by which an expression is ahead of the server's clock. */
async function ahead(expression: string): Promise<number> {
  const sql = `select round(extract(epoch from ${expression} - pg_catalog.clock_timestamp()) / 3600) as h`;
  return Number((await client.query<{ h: string }>(sql)).rows[0]?.h);
}

const HOUR = 3_600_000;

test("is the server's clock until it is shifted, and after a shift of 0", async () => {
  for (const time of ["now()", "clock_timestamp()", "statement_timestamp()"]) {
    await clock.shift(0);
    expect(await ahead(time)).toBe(0);
    await clock.shift(2 * HOUR);
    expect(await ahead(time)).toBe(2);
  }
  expect(await ahead("pg_catalog.now()")).toBe(0);
});

test.each([
  "read committed",
  "repeatable read",
])("a shift within a transaction changes clock_timestamp() only: %s", async (level) => {
  await clock.shift(0);
  await client.query(`begin isolation level ${level}`);
  expect(await ahead("now()")).toBe(0);
  await clock.shift(3 * HOUR);
  expect(await ahead("now()")).toBe(0);
  expect(await ahead("clock_timestamp()")).toBe(3);
  await client.query("commit");
  expect(await ahead("now()")).toBe(3);
});

test("column defaults use the shifted clock", async () => {
  await clock.shift(4 * HOUR);
  await client.query("insert into t default values");
  expect(await ahead("(select at from t)")).toBe(4);
});
