import { expect, test } from "vitest";
import { withoutGates } from "./instrument-routine.ts";
import { instrumentSql } from "./instrument-sql.ts";

const SHARED = { functions: new Set(["nextval"]), tables: true };

const instrumented = async (source: string) => {
  const result = await instrumentSql(source, 7, SHARED);
  if (!result.gated) return result.reason;
  expect(withoutGates(result.source)).toBe(source);
  return { source: result.source, lines: result.gates.map(({ line }) => line) };
};

test("each statement that accesses shared state gets a gate before it, on its line", async () => {
  const source = "\n  update t set v = 1; select 1;\n  -- as it is now\n  select v from t;\n";
  expect(await instrumented(source)).toEqual({
    source:
      "\n  SELECT heddle.gate(7); update t set v = 1; select 1;\n  -- as it is now\n  SELECT heddle.gate(8); select v from t;\n",
    lines: [2, 4],
  });
});

test("a single statement over tables gets a gate", async () => {
  expect(await instrumented("delete from t")).toEqual({
    source: "SELECT heddle.gate(7); delete from t",
    lines: [1],
  });
});

test("a single SELECT without tables gets none, since it may become a part of its caller", async () => {
  expect(await instrumentSql("select nextval('s')", 7, SHARED)).toEqual({
    gated: true,
    source: "select nextval('s')",
    gates: [],
    missing: [{ line: 1, reason: expect.stringContaining("part of the query") }],
  });
  expect(await instrumented("select 1; select nextval('s')")).toMatchObject({ lines: [1] });
});

test("a statement that shares nothing gets none, and a source that cannot be read has a reason", async () => {
  expect(await instrumented("select 1; select 2")).toEqual({
    source: "select 1; select 2",
    lines: [],
  });
  expect(await instrumented("select from where")).toBe("libpg-query cannot read it");
});
