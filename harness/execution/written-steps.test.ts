import { expect, test } from "vitest";
import { FakeSession } from "../proxy/pending-statement.fixture.ts";
import type { TransactionNumbers } from "./lock-waits.ts";
import { WrittenSteps } from "./written-steps.ts";

const pending = new FakeSession(1).hold({ sql: "select claim()", values: [] });

/** @param answers what the server says, in order */
function stepsWith(answers: readonly TransactionNumbers[], mayChange = true) {
  const left = [...answers];
  const transactionNumbers = async () => {
    const next = left.shift();
    if (next === undefined) throw new Error("the server was asked once too often");
    return next;
  };
  return new WrittenSteps({ transactionNumbers }, async () => mayChange);
}

test.each<[string, TransactionNumbers, TransactionNumbers, boolean]>([
  ["nothing", { ofBackend: null, snapshot: "5:5:" }, { ofBackend: null, snapshot: "5:5:" }, false],
  [
    "a transaction that has ended",
    { ofBackend: null, snapshot: "5:5:" },
    { ofBackend: null, snapshot: "6:6:" },
    true,
  ],
  [
    "an open transaction",
    { ofBackend: null, snapshot: "5:5:" },
    { ofBackend: "5", snapshot: "5:5:" },
    true,
  ],
])("a step has written if %s has got a number", async (_, before, after, expected) => {
  const steps = stepsWith([before, after]);
  await steps.begin(pending);
  expect(await steps.end()).toBe(expected);
  expect(await steps.end()).toBe(false);
});

test("the server is not asked about a statement that changes no row", async () => {
  const steps = stepsWith([], false);
  await steps.begin(pending);
  expect(await steps.end()).toBe(false);
});
