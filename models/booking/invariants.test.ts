import { describe, expect, test } from "vitest";
import { invariants } from "./invariants.ts";

const passing = invariants.map(({ name }) => ({ check_name: name, status: "PASS", details: "" }));
const judge = (snapshot: Parameters<(typeof invariants)[0]["check"]>[0]) =>
  invariants.flatMap(({ check }) => check(snapshot));

describe("each invariant", () => {
  test("holds when all checks pass", () => {
    expect(judge({ checks: passing })).toEqual([]);
  });

  test.each(
    invariants.map(({ name }) => name),
  )("%s: a failed check is shown by its rows", (name) => {
    const checks = passing.map((row) =>
      row.check_name === name ? { ...row, status: "FAIL", details: "Slot 1 …" } : row,
    );
    const row = { check_name: name, slot_id: "1" };
    const offending = [row, { check_name: "another", slot_id: "2" }];
    expect(judge({ checks, offending })).toEqual([
      { judge: "invariant", name, message: "Slot 1 …", evidence: [row] },
    ]);
  });

  test.each(
    invariants.map(({ name }) => name),
  )("%s: a check that is missing is violated", (name) => {
    const checks = passing.filter((row) => row.check_name !== name);
    expect(judge({ checks })).toMatchObject([{ name, evidence: [] }]);
  });

  test("is violated by a status that nobody knows", () => {
    const [first, ...rest] = passing;
    expect(judge({ checks: [{ ...first, status: "SKIPPED" }, ...rest] })).toHaveLength(1);
  });

  test("is violated when there is no snapshot of the checks at all", () => {
    expect(judge({}).map(({ name }) => name)).toEqual(invariants.map(({ name }) => name));
  });
});
