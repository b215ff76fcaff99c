import { AssertionError } from "node:assert";
import { expect, test } from "vitest";
import { observed } from "./invariant-definition.ts";

const query = async (sql: string) => (sql.includes("broken") ? [{ id: 1 }] : []);

test("where all SQL holds, one query says so", async () => {
  const asked: string[] = [];
  const counting = async (sql: string) => {
    asked.push(sql);
    return [];
  };
  const invariants = { one: "select 1;", other: "select 2" };
  expect(await observed(invariants, { query: counting }, "end")).toEqual({ one: [], other: [] });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain("(select 1\n)");
});

test("the rows of SQL, and those that a function returns, break an invariant", async () => {
  const invariants = {
    holds: "select",
    sql: "broken",
    rows: () => [{ id: 2 }],
    nothing: () => undefined,
  };
  expect(await observed(invariants, { query }, "end")).toEqual({
    holds: [],
    sql: [{ id: 1 }],
    rows: [{ id: 2 }],
    nothing: [],
  });
});

test("a failed assertion is a row with the first line of its message", async () => {
  const fails = () => {
    throw new AssertionError({ message: "too few\n\n1 !== 2" });
  };
  expect(await observed({ fails }, { query }, "end")).toEqual({ fails: [{ message: "too few" }] });
});

test("after a commit, functions that read what clients were answered are left out", async () => {
  type Context = { readonly answers: readonly string[]; readonly outcomes: object };
  const invariants = {
    sql: "broken",
    rows: () => [{ id: 2 }],
    answered: ({ answers }: Context) => answers,
    done: ({ outcomes }: Context) => Object.keys(outcomes),
  };
  const context = { query, answers: ["one"], outcomes: { two: 2 } };
  const broken = { sql: [{ id: 1 }], rows: [{ id: 2 }] };
  expect(await observed(invariants, context, "commit")).toEqual(broken);
  expect(await observed(invariants, context, "end")).toEqual({
    ...broken,
    ...{ answered: ["one"], done: ["two"] },
  });
});

test.each<[string, () => unknown, RegExp]>([
  ["throws", () => Promise.reject(new Error("no such table")), /the invariant "it".*no such table/],
  ["returns no list", () => true, /the invariant "it" must return a list/],
])("an invariant that %s is an error of the service's description", async (_, it, message) => {
  await expect(observed({ it }, { query }, "end")).rejects.toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringMatching(message),
  });
});
