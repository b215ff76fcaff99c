import { expect, test } from "vitest";
import { independentParts } from "./model-parts.ts";

const rows = {
  slots: [
    { id: 1, owner: 1 },
    { id: 2, owner: 2 },
    { id: 3, owner: 2 },
  ],
};
const concerns = {
  ofCall: (call: readonly string[] | "everything") => call,
  ofRow: (_: string, row: { readonly [column: string]: unknown }) => [
    `slot ${row["id"]}`,
    `owner ${row["owner"]}`,
  ],
};
const partsOf = (...calls: readonly (readonly string[] | "everything")[]) =>
  independentParts({ calls, before: rows, final: undefined }, concerns).map((part) => ({
    calls: part.calls.length,
    slots: part.before?.["slots"]?.map(({ id }) => id),
  }));

test("calls of things that rows do not link are in parts of their own", () => {
  expect(partsOf(["slot 1"], ["slot 2"], ["slot 3"])).toEqual([
    { calls: 1, slots: [1] },
    { calls: 2, slots: [2, 3] },
  ]);
});

test("a call of two things joins their parts, and one of everything all", () => {
  expect(partsOf(["slot 1", "slot 2"], ["slot 3"])).toEqual([{ calls: 2, slots: [1, 2, 3] }]);
  expect(partsOf("everything", ["slot 3"])).toEqual([{ calls: 2, slots: [1, 2, 3] }]);
});

test("a call of nothing is alone", () => {
  expect(partsOf([], ["slot 1"])).toContainEqual({ calls: 1, slots: [] });
});
