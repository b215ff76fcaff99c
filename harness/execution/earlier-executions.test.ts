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
  expect(entries(earlier.before(c))).toEqual(["0", "1"]);
  expect(earlier.before(a)).toEqual([]);
});

test("the latest 256 executions are known", () => {
  const earlier = new EarlierExecutions();
  const all = Array.from({ length: 700 }, (_, at) => executionOf(String(at)));
  for (const execution of all) earlier.add(execution);
  for (const at of [0, 1, 255, 256, 257, 511, 512, 699]) {
    const execution = all[at];
    const expected = all.slice(Math.max(0, at - 256), at);
    expect(execution && entries(earlier.before(execution))).toEqual(entries(expected));
  }
});

test("a fresh start forgets them, and keeps what came before an execution", () => {
  const earlier = new EarlierExecutions();
  earlier.add(a);
  earlier.add(b);
  earlier.forget();
  earlier.add(c);
  expect(earlier.before(c)).toEqual([]);
  expect(entries(earlier.before(b))).toEqual(["0"]);
});

test("nothing is known of an execution of another process", () => {
  const earlier = new EarlierExecutions();
  earlier.add(a);
  expect(earlier.before(b)).toEqual([]);
});
