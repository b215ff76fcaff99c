import { expect, test } from "vitest";
import type { Choice } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import { interruptionsOf } from "./interruptions.ts";

const move = (task: Choice["task"], preemption = false): TraceEvent => {
  const choice = { task, action: "release" } as const;
  return { type: "move", choice, enabled: [choice], preemption };
};
const invoke = (client: number, name: string): TraceEvent => ({
  ...{ type: "invoke", client, index: 0, operation: { name } },
});
const statement = (task: Choice["task"], sql: string): TraceEvent => ({
  ...{ type: "statement", task, statement: { sql, values: [] } },
});
const gate = (task: Choice["task"], line: number | null): TraceEvent => ({
  ...{ type: "gate", task, place: { of: "public.claim()", line, next: "update" } },
});

test("an operation was interrupted after its last statement, or its last line in a routine", () => {
  const trace = [
    ...[move("0"), invoke(0, "order"), move("1"), invoke(1, "claim")],
    ...[statement("1", "select claim()"), gate("1", 3), gate("1", null)],
    ...[move("0", true), statement("0", "select stock"), move("0"), move("1", true)],
    ...[move("0", true), move("1", true)],
  ];
  expect(interruptionsOf(trace)).toEqual(["claim: public.claim(), line 3", "order: select stock"]);
});

test("an operation that has ended, or that waits, was not interrupted", () => {
  expect(interruptionsOf([move("0"), invoke(0, "order"), move("1")])).toEqual([]);
  expect(interruptionsOf([move("0", true)])).toEqual([]);
});
