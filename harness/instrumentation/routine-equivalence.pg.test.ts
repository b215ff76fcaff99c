import fc from "fast-check";
import { DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import {
  CORPUS,
  type ExampleInput,
  type RoutineExample,
  SCHEMA,
} from "./routine-corpus.fixture.ts";
import { installRoutineGates } from "./routine-gates.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const session = await GatedClient.open((await server.lease()).url);
  await session.client.query("create role heddle_guest");
  await session.end();
});

afterAll(() => server?.stop());

const inputs: fc.Arbitrary<ExampleInput> = fc.record({
  rows: fc.uniqueArray(fc.tuple(fc.nat(4), fc.constantFrom("x", "y", null)), {
    maxLength: 4,
    selector: ([i]) => i,
  }),
  a: fc.nat(4),
  b: fc.nat(4),
  s: fc.constantFrom("x", "z", null),
});

/** A session in a new database with the example's routines. */
async function sessionWith(example: RoutineExample): Promise<GatedClient> {
  const session = await GatedClient.open((await server.lease()).url);
  await session.client.query(`${SCHEMA}; ${example.sql}`);
  return session;
}

/** All that a client can observe of the calls: results, errors, notices and the final rows. */
async function outcome(
  session: GatedClient,
  { calls }: RoutineExample,
  input: ExampleInput,
): Promise<unknown> {
  const { client, notices } = session;
  const rows = input.rows.map(([i, s]) => `insert into t values (${i}, ${literal(s)})`);
  await client.query(`
    set session_replication_role = replica; truncate t, log restart identity; ${rows.join(";")};
    reset session_replication_role`);
  notices.length = 0;
  const answers: unknown[] = [];
  for (const call of calls) {
    const sql = call.replace(/(?<!:):([abs])\b/g, (_, name: "a" | "b" | "s") =>
      literal(input[name]),
    );
    answers.push(
      await client
        .query(sql)
        .then(({ command, rowCount, rows }) => ({ command, rowCount, rows }), errorFields),
    );
  }
  await client.query("rollback");
  const { rows: final } = await client.query(
    "select array(select t from t order by i)::text as t, array(select log from log order by id)::text as log",
  );
  return {
    answers,
    notices: notices.filter((it) => !it.includes("no transaction in progress")),
    final,
  };
}

const literal = (value: number | string | null): string =>
  typeof value === "number" ? String(value) : value === null ? "null" : `'${value}'`;

function errorFields(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) throw error;
  const { code, message, detail, hint, where, constraint } = error;
  return { code, message, detail, hint, where, constraint };
}

describe("a routine with gates has the same outcomes as without:", () => {
  test.each(Object.entries(CORPUS))("%s", async (_, example) => {
    const [plain, gated] = [await sessionWith(example), await sessionWith(example)];
    const { gates, uninstrumented, missing } = await installRoutineGates(gated.client, {
      rows: true,
    });
    expect(uninstrumented).toEqual([]);
    expect(missing.length).toBeLessThanOrEqual(1);
    const reached = new Set<number>();
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const expected = await outcome(plain, example, input);
        expect(await outcome(gated, example, input)).toEqual(expected);
        expect(gated.places).toEqual([]);
        await gated.locks.enable(gated.pid);
        expect(await outcome(gated, example, input)).toEqual(expected);
        await gated.locks.disable(gated.pid);
        for (const place of gated.places.splice(0)) reached.add(place);
      }),
      { numRuns: 12 },
    );
    expect(reached.size).toBeGreaterThan(0);
    expect(gates.length).toBeGreaterThanOrEqual(reached.size);
    await Promise.all([plain.end(), gated.end()]);
  });
});
