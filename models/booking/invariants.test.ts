import { describe, expect, test } from "vitest";
import { invariants } from "./invariants.ts";

const passing = invariants.map(({ name }) => ({ check_name: name, status: "PASS", details: "" }));
const ledger = [
  { intent: "pi_1", status: "captured", refunds: 0 },
  { intent: "pi_2", status: "refund_due", refunds: 1 },
  { intent: "pi_3", status: "refunded", refunds: 1 },
];
const ledgerInvariants = ["payment_refunded_twice", "kept_payment_refunded", "refund_not_made"];
const checked = invariants.filter(({ name }) => !ledgerInvariants.includes(name));
const check = (snapshot: Parameters<(typeof invariants)[0]["check"]>[0]) =>
  invariants.flatMap(({ check }) => check(snapshot));

describe("each invariant", () => {
  test("holds when all checks pass", () => {
    expect(check({ checks: passing, ledger })).toEqual([]);
  });

  test.each(
    checked.map(({ name }) => name),
  )("%s: a failed check has its offending rows as evidence", (name) => {
    const checks = passing.map((row) =>
      row.check_name === name ? { ...row, status: "FAIL", details: "Slot 1 …" } : row,
    );
    const row = { check_name: name, slot_id: "1" };
    const offending = [row, { check_name: "another", slot_id: "2" }];
    expect(check({ checks, offending, ledger })).toEqual([
      { checker: "invariant", name, message: "Slot 1 …", evidence: [row] },
    ]);
  });

  test.each(checked.map(({ name }) => name))("%s: a check that is missing is violated", (name) => {
    const checks = passing.filter((row) => row.check_name !== name);
    expect(check({ checks, ledger })).toMatchObject([{ name, evidence: [] }]);
  });

  test("is violated by an unknown status", () => {
    const [first, ...rest] = passing;
    expect(check({ checks: [{ ...first, status: "SKIPPED" }, ...rest], ledger })).toHaveLength(1);
  });

  test.each([
    ["payment_refunded_twice", "refunded", 2],
    ["kept_payment_refunded", "captured", 1],
    ["refund_not_made", "refunded", 0],
  ])("%s: a payment that is %s, with %i refunds", (name, status, refunds) => {
    const wrong = { intent: "pi_9", status, refunds };
    expect(check({ checks: passing, ledger: [...ledger, wrong] })).toEqual([
      { checker: "invariant", name, message: "Violated by pi_9.", evidence: [wrong] },
    ]);
  });

  test("is violated by an empty snapshot", () => {
    expect(check({}).map(({ name }) => name)).toEqual(invariants.map(({ name }) => name));
  });
});
