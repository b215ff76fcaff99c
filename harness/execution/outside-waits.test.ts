import { expect, test } from "vitest";
import type { Trace } from "../core/trace.ts";
import { OutsideWaits } from "./outside-waits.ts";

const answered = (tag: string, task = "0"): Trace => [
  { type: "statement", task, statement: { sql: "delete from jobs", values: [] } },
  { type: "result", task, result: { tags: [tag], transaction: "idle" } },
];
const NOTHING = answered("DELETE 0");

test("a client that does nothing for a fifth of the step timeout waits", () => {
  const waits = new OutsideWaits();
  expect(waits.waits(0, NOTHING, 1_999, 10_000)).toBe(false);
  expect(waits.waits(0, NOTHING, 2_000, 10_000)).toBe(true);
});

test("one that has waited at the same point before waits sooner", () => {
  const waits = new OutsideWaits();
  waits.waits(0, NOTHING, 2_000, 10_000);
  expect(waits.waits(0, NOTHING, 199, 10_000)).toBe(false);
  expect(waits.waits(0, NOTHING, 200, 10_000)).toBe(true);
  const afterAnother = [...answered("INSERT 0 1", "1"), ...NOTHING];
  expect(waits.waits(0, afterAnother, 200, 10_000)).toBe(true);
});

test.each([
  ["another answer", 0, answered("DELETE 1")],
  ["one statement more", 0, [...NOTHING, ...NOTHING]],
  ["another client", 1, answered("DELETE 0", "1")],
] as const)("%s is another point", (_, client, trace) => {
  const waits = new OutsideWaits();
  waits.waits(0, NOTHING, 2_000, 10_000);
  expect(waits.waits(client, trace, 200, 10_000)).toBe(false);
});
