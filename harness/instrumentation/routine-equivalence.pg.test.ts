import fc from "fast-check";
import { DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { CORPUS, type Example, type Given, SCHEMA } from "./routine-corpus.fixture.ts";
import { installRoutineGates } from "./routine-gates.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const session = await GatedClient.open((await server.lease()).url);
  await session.client.query("create role heddle_guest");
  await session.end();
});

afterAll(() => server?.stop());

const given: fc.Arbitrary<Given> = fc.record({
  rows: fc.uniqueArray(fc.tuple(fc.nat(4), fc.constantFrom("x", "y", null)), {
    maxLength: 4,
    selector: ([i]) => i,
  }),
  a: fc.nat(4),
  b: fc.nat(4),
  s: fc.constantFrom("x", "z", null),
});

/** A session of a database of its own, with the example's routines. */
async function prepared(example: Example): Promise<GatedClient> {
  const session = await GatedClient.open((await server.lease()).url);
  await session.client.query(`${SCHEMA}; ${example.sql}`);
  return session;
}

/** All that can be seen of the example's calls: results, errors, notices, and what they left. */
async function outcome(session: GatedClient, { calls }: Example, given: Given): Promise<unknown> {
  const { client, notices } = session;
  const rows = given.rows.map(([i, s]) => `insert into t values (${i}, ${literal(s)})`);
  await client.query(`
    set session_replication_role = replica; truncate t, log restart identity; ${rows.join(";")};
    reset session_replication_role`);
  notices.length = 0;
  const answers: unknown[] = [];
  for (const call of calls) {
    const sql = call.replace(/(?<!:):([abs])\b/g, (_, name: "a" | "b" | "s") =>
      literal(given[name]),
    );
    answers.push(
      await client
        .query(sql)
        .then(({ command, rowCount, rows }) => ({ command, rowCount, rows }), seen),
    );
  }
  await client.query("rollback");
  const { rows: left } = await client.query(
    "select array(select t from t order by i)::text as t, array(select log from log order by id)::text as log",
  );
  return {
    answers,
    notices: notices.filter((it) => !it.includes("no transaction in progress")),
    left,
  };
}

const literal = (value: number | string | null): string =>
  typeof value === "number" ? String(value) : value === null ? "null" : `'${value}'`;

function seen(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) throw error;
  const { code, message, detail, hint, where, constraint } = error;
  return { code, message, detail, hint, where, constraint };
}

describe("a routine with gates does what the plain one does:", () => {
  test.each(Object.entries(CORPUS))("%s", async (_, example) => {
    const [plain, gated] = [await prepared(example), await prepared(example)];
    const { places, whole, joined } = await installRoutineGates(gated.client);
    expect(whole.map(({ routine }) => routine)).toEqual(["note(text)"]);
    expect(joined.length).toBeLessThanOrEqual(1);
    const stoodAt = new Set<number>();
    await fc.assert(
      fc.asyncProperty(given, async (given) => {
        const expected = await outcome(plain, example, given);
        expect(await outcome(gated, example, given)).toEqual(expected);
        expect(gated.places).toEqual([]);
        await gated.locks.arm(gated.pid);
        expect(await outcome(gated, example, given)).toEqual(expected);
        await gated.locks.disarm(gated.pid);
        for (const place of gated.places.splice(0)) stoodAt.add(place);
      }),
      { numRuns: 12 },
    );
    expect(stoodAt.size).toBeGreaterThan(0);
    expect(places.length).toBeGreaterThanOrEqual(stoodAt.size);
    await Promise.all([plain.end(), gated.end()]);
  });
});
