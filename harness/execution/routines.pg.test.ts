import { Client } from "pg";
import { expect, test } from "vitest";
import { startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Executor } from "./executor.ts";
import { routineHashes } from "./gated-database.ts";
import { LIMITS, STATEMENT_SERVICE } from "./statements.fixture.ts";

const BODY = "begin if n > 0 then return n; end if; return 0; end";
const SCHEMA = `
  create extension btree_gist;
  create schema "Other";
  create function plain(n int) returns int language plpgsql as $$ ${BODY} $$;
  create function "Other"."Sum"(a int, b text) returns int language sql return a;
  create aggregate total(int) (sfunc = int4pl, stype = int);
  create procedure nothing() language sql as ''`;

test("the hash of a routine is that of its definition without gates", async () => {
  const server = await startServer(testPostgres);
  const { url, drop } = await server.lease();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  const before = await routineHashes(url);
  expect(Object.keys(before)).toEqual([
    '"Other"."Sum"(integer,text)',
    "public.nothing()",
    "public.plain(integer)",
  ]);
  expect(await routineHashes(url)).toEqual(before);

  await client.query(
    `create or replace function plain(n int) returns int language plpgsql as $$ ${BODY}  $$`,
  );
  const { "public.plain(integer)": changed, ...same } = await routineHashes(url);
  expect(changed).not.toBe(before["public.plain(integer)"]);
  expect(before).toMatchObject(same);
  await client.end();
  await drop();

  const setup = {
    ...STATEMENT_SERVICE,
    migrate: async (directUrl: string) => run(directUrl, SCHEMA),
  };
  const control = { ...LIMITS.control, gates: ["statement", "routine"] } as const;
  const executor = await Executor.open(server, setup, { ...LIMITS, control, hashRoutines: true });
  expect(executor.routines).toEqual(before);
  await executor.close();
  await server.stop();
});

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}
