import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient } from "../../postgres/connection.ts";
import { type Server, startServer } from "../../postgres/provider.ts";
import { testPostgres } from "../../postgres/server.fixture.ts";
import { arbitraryOf, argumentsOf, type StatementOperation } from "../operation-definition.ts";
import { readCatalog, type SchemaCatalog } from "./catalog.ts";
import { fromFunctions } from "./from-functions.ts";
import type { OperationOverrides } from "./operation-source.ts";

let server: Server;
let catalog: SchemaCatalog;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const database = await server.lease();
  const client = await openClient(database.url);
  try {
    await client.query(`
      create type mood as enum ('glad', 'sad');
      create table slots (
        id bigint generated always as identity primary key,
        state text not null check (state in ('free', 'taken'))
      );
      create table claims (id uuid primary key, slot_id bigint not null references slots);
      create function claim(p_slot_id bigint, who text, mood mood, p_state text) returns claims
        language sql as 'select * from claims limit 1';
      create function cancel(claim_id uuid, out done boolean, at timestamptz default now())
        language sql as 'select true';
      create function cancel(claim_id uuid, slot_ids bigint[]) returns int language sql as 'select 1';
      create procedure sweep(before date) language sql as 'select 1';
      create function on_change() returns trigger language plpgsql as 'begin return new; end';
      create schema "Own";
      create function "Own"."do it"() returns int language sql as 'select 1';
    `);
    catalog = await readCatalog(
      async (sql, values = []) => (await client.query(sql, [...values])).rows,
    );
  } finally {
    await client.end();
    await database.drop();
  }
});

afterAll(() => server?.stop());

const operationsOf = (schema?: string, overrides?: OperationOverrides) =>
  fromFunctions(schema, overrides).operations({ catalog, file: new URL(import.meta.url) }) as {
    [name: string]: StatementOperation;
  };

/** The values of each parameter. */
function valuesOf(operation: StatementOperation | undefined): readonly string[][] {
  const all =
    operation === undefined
      ? []
      : fc.sample(arbitraryOf("it", operation), { seed: 1, numRuns: 200 });
  const lists = all.map((one) => Object.values(argumentsOf(one).values));
  return (lists[0] ?? []).map((_, at) =>
    [...new Set(lists.map((list) => JSON.stringify(list[at])))].sort(),
  );
}

test("each function that a client can call is an operation, with the types of its parameters", () => {
  expect(Object.entries(operationsOf()).map(([name, { sql }]) => [name, sql])).toEqual([
    ["claim", 'select * from "public"."claim"($1::bigint, $2::text, $3::mood, $4::text)'],
    [
      "cancel(uuid, timestamp with time zone)",
      'select * from "public"."cancel"($1::uuid, $2::timestamp with time zone)',
    ],
    ["cancel(uuid, bigint[])", 'select * from "public"."cancel"($1::uuid, $2::bigint[])'],
    ["sweep", 'call "public"."sweep"($1::date)'],
  ]);
  expect(Object.values(operationsOf("Own")).map(({ sql }) => sql)).toEqual([
    'select * from "Own"."do it"()',
  ]);
});

test("arguments follow from names, foreign keys, checks and types", () => {
  const { claim, ...others } = operationsOf();
  const [slot, who, mood, state] = valuesOf(claim);
  expect(slot?.every((text) => text.includes('"of":"slots.id"'))).toBe(true);
  expect(who).toEqual(['"who-a"', '"who-b"', "null"]);
  expect(mood).toEqual(['"glad"', '"sad"', "null"]);
  expect(state).toEqual(['"free"', '"taken"', "null"]);
  const [, slots] = valuesOf(others["cancel(uuid, bigint[])"]);
  expect(slots?.every((text) => text.startsWith('[{"of":"slots.id"'))).toBe(true);
  const [id] = valuesOf(others["cancel(uuid, bigint[])"]);
  expect(id?.every((text) => text.includes('"of":"claims.id"'))).toBe(true);
});

test("an override names parameters by their names", () => {
  const { claim, sweep } = operationsOf("public", { claim: { who: "ada" }, sweep: false });
  expect(valuesOf(claim)[1]).toEqual(['"ada"']);
  expect(sweep).toBeUndefined();
});
