import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { checkHygiene } from "./hygiene.ts";

const CLEAN: Execution = {
  scenario: { initial: null, clients: [] },
  schedule: { version: 1, lanes: [] },
  trace: [],
  ending: { type: "complete" },
  openTransactions: 0,
  snapshot: {},
  contents: undefined,
};

test("accepts an execution that left nothing, whether all was asked or not", () => {
  expect(checkHygiene(CLEAN)).toEqual([]);
  expect(checkHygiene({ ...CLEAN, advisoryLocks: [], connectionsInUse: 0 })).toEqual([]);
});

test("rejects what was left, each by its rule", () => {
  const left = { openTransactions: 2, advisoryLocks: ["1 7"], connectionsInUse: 1 };
  const violations = checkHygiene({ ...CLEAN, ...left });
  expect(violations.map(({ judge, name, message }) => [judge, name, message])).toEqual([
    ["hygiene", "no-open-transaction", "2 transaction(s) left open"],
    ["hygiene", "no-advisory-lock", "1 advisory lock(s) never released"],
    ["hygiene", "no-connection-in-use", "1 connection(s) never given back"],
  ]);
  expect(violations[1]?.evidence).toEqual([{ key: "1 7" }]);
});
