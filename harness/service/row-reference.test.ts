import fc from "fast-check";
import { expect, test } from "vitest";
import { type ColumnName, referencesIn, resolved, rowOf } from "./row-reference.ts";

const rows = new Map([["items.id", [9, 8]]]);
const none = () => undefined;
const item = (row: number) => ({ of: "items.id", row }) as const;

test("a reference becomes the value of its row, at any depth; beyond the last row it begins again", () => {
  const operation = { name: "order", item: item(0), lines: [{ item: item(1) }, { item: item(2) }] };
  expect(resolved(operation, rows, none)).toEqual({
    name: "order",
    item: 9,
    lines: [{ item: 8 }, { item: 9 }],
  });
});

test("without a row there is nothing to send", () => {
  expect(resolved({ item: item(0) }, new Map([["items.id", []]]), none)).toBeUndefined();
  expect(resolved({ item: item(0) }, new Map(), none)).toBeUndefined();
  expect(resolved({ item: 3 }, new Map(), none)).toEqual({ item: 3 });
});

test("a client's own id comes before rows, if it has one", () => {
  const own = { ...item(0), own: true } as const;
  expect(resolved({ item: own }, rows, () => 77)).toEqual({ item: 77 });
  expect(resolved({ item: own }, rows, none)).toEqual({ item: 9 });
  expect(resolved({ item: item(0) }, rows, () => 77)).toEqual({ item: 9 });
});

test("rows are few and hot, and shrink to the first one", () => {
  const all = fc.sample(rowOf("items.id"), { seed: 1, numRuns: 500 });
  expect(new Set(all.map(({ row }) => row))).toEqual(new Set([0, 1, 2]));
  expect(all.filter(({ row }) => row === 0).length).toBeGreaterThan(200);
  const found = fc.check(
    fc.property(rowOf("items.id"), () => false),
    { seed: 1 },
  );
  expect(found.counterexample).toEqual([{ of: "items.id", row: 0 }]);
});

test("the references of a value are found in their order; other objects are none", () => {
  const value = { a: item(2), b: [{ of: "all", row: 1 }, item(0)], c: { of: "a.b" } };
  expect(referencesIn(value)).toEqual([item(2), item(0)]);
});

test.each([
  "loans",
  "",
  "loans.",
  ".id",
  "a.b.c.d",
])("a reference to %j names no column", (name) => {
  expect(() => rowOf(name as ColumnName)).toThrow(/names no column of a table/);
});
