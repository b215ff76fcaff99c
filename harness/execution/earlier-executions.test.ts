import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { EarlierExecutions } from "./earlier-executions.ts";

const executionOf = (entry: string): Execution => ({
  scenario: { initial: null, clients: [] },
  schedule: { version: 1, entries: [entry] },
  trace: [],
  completion: { type: "complete" },
  openTransactions: 0,
  snapshot: {},
  contents: undefined,
});
const [a, b, c] = [executionOf("0"), executionOf("1"), executionOf("2")];
const entries = (executions: readonly { readonly schedule: Execution["schedule"] }[]) =>
  executions.flatMap(({ schedule }) => schedule.entries);

test("an execution comes after those since everything was started anew", () => {
  const earlier = new EarlierExecutions();
  for (const execution of [a, b, c]) earlier.add(execution);
  expect(entries(earlier.before(c, 10))).toEqual(["0", "1"]);
  expect(entries(earlier.before(c, 1))).toEqual(["1"]);
  expect(earlier.before(a, 10)).toEqual([]);
});

test("a fresh start forgets them, and keeps what came before an execution", () => {
  const earlier = new EarlierExecutions();
  earlier.add(a);
  earlier.add(b);
  earlier.forget();
  earlier.add(c);
  expect(earlier.before(c, 10)).toEqual([]);
  expect(entries(earlier.before(b, 10))).toEqual(["0"]);
});

test("nothing is known of an execution of another process", () => {
  const earlier = new EarlierExecutions();
  earlier.add(a);
  expect(earlier.before(b, 10)).toEqual([]);
});
