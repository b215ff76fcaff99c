import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { checkLeaks } from "./leaks.ts";

const CLEAN: Execution = {
  scenario: { initial: null, clients: [] },
  schedule: { version: 1, entries: [] },
  trace: [],
  completion: { type: "complete" },
  openTransactions: 0,
  snapshot: {},
  contents: undefined,
};

test("an execution that leaves nothing behind is accepted, also if not everything was observed", () => {
  expect(checkLeaks(CLEAN)).toEqual([]);
  expect(checkLeaks({ ...CLEAN, advisoryLocks: [], connectionsInUse: 0 })).toEqual([]);
});

test("each kind of leak is rejected by its rule", () => {
  const left = { openTransactions: 2, advisoryLocks: ["1 7"], connectionsInUse: 1 };
  const violations = checkLeaks({ ...CLEAN, ...left });
  expect(violations.map(({ checker, name, message }) => [checker, name, message])).toEqual([
    ["leaks", "no-open-transaction", "2 transaction(s) left open"],
    ["leaks", "no-advisory-lock", "1 advisory lock(s) never released"],
    ["leaks", "no-connection-in-use", "1 connection(s) never given back"],
  ]);
  expect(violations[1]?.evidence).toEqual([{ key: "1 7" }]);
});
