import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { derivationOf, type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking } from "./booking.fixture.ts";
import { survivors } from "./mutants/survivors.ts";
import { pairs } from "./pairs.ts";
import { promises } from "./promises.ts";

let server: Server;
let derivation: Awaited<ReturnType<typeof derivationOf>>;

beforeAll(async () => {
  server = await startServer(testPostgres);
  derivation = await derivationOf(server, booking);
});

afterAll(() => server.stop());

test.each(promises)("every protection of $name can be removed", async ({ protections }) => {
  for (const { without } of protections) expect(derivation.combined(without)).not.toBe("");
  const database = await server.lease();
  await booking.migrate(database.url, undefined);
  const client = new Client(database.url);
  await client.connect();
  await client.query(derivation.combined(protections.flatMap(({ without }) => without)));
  await client.end();
});

test.each(promises)("the pairs of $name exist", (promise) => {
  expect(Object.keys(pairs())).toEqual(expect.arrayContaining([...promise.pairs]));
});

test("every part of the schema is mutated", () => {
  expect(derivation.unmutated).toEqual([]);
});

test("each survivor is a mutant of the schema, and listed once", () => {
  const ids = survivors.map(({ id }) => id);
  const mutants = derivation.mutants.map(({ id }) => id);
  expect(ids.filter((id) => !mutants.includes(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
