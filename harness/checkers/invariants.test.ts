import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Invariant } from "../core/verdict.ts";
import { checkInvariants, noRows } from "./invariants.ts";

const EXECUTION: Execution = {
  scenario: { initial: null, clients: [] },
  schedule: { version: 1, entries: [] },
  trace: [],
  completion: { type: "complete" },
  openTransactions: 0,
  snapshot: { debts: [] },
  contents: undefined,
};
const INVARIANTS: readonly Invariant[] = [noRows("debts")];

test("a query that must have no rows is broken by each row, and by a missing result", () => {
  expect(checkInvariants(EXECUTION, INVARIANTS)).toEqual([]);
  const [two] = checkInvariants(
    { ...EXECUTION, snapshot: { debts: [{ id: 1 }, { id: 2 }] } },
    INVARIANTS,
  );
  expect(two).toEqual({
    checker: "invariant",
    name: "debts",
    message: "The query has 2 rows.",
    evidence: [{ id: 1 }, { id: 2 }],
  });
  const [missing] = checkInvariants({ ...EXECUTION, snapshot: {} }, INVARIANTS);
  expect(missing?.message).toContain("was not executed");
});

test("an invariant is reported for the first commit that breaks it, although a later one repairs it", () => {
  const commits = [
    { step: 3, snapshot: { debts: [] } },
    { step: 5, snapshot: { debts: [{ id: 1 }] } },
    { step: 7, snapshot: { debts: [{ id: 1 }, { id: 2 }] } },
  ];
  expect(checkInvariants({ ...EXECUTION, commits }, INVARIANTS)).toEqual([
    {
      checker: "invariant",
      name: "debts",
      message: "After the commit in step 5: The query has 1 row.",
      evidence: [{ id: 1 }],
    },
  ]);
});
