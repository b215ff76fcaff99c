import { expect, test } from "vitest";
import type { TraceEvent } from "../core/trace.ts";
import { deadlock, doubleBooking } from "./sample-counterexample.fixture.ts";
import { timeline } from "./timeline.ts";

const told = (trace: readonly TraceEvent[]) =>
  timeline(trace).map(({ number, lane, happenings }) => {
    return `${number} ${lane}: ${happenings.map((h) => `${h.lane} ${h.type}`).join(", ")}`;
  });

test("tells each step with what happened in it, to the mover and to others", () => {
  expect(told(doubleBooking.trace)).toEqual([
    "1 0: 0 command",
    "2 0: 0 statement",
    "3 0: 0 statement",
    "4 1: 1 command",
    "5 1: 1 statement",
    "6 1: 1 statement",
    "7 1: 1 statement",
    "8 1: 1 statement",
    "9 0: 0 statement",
    "10 0: 0 statement, 0 wait",
    "11 1: 1 statement, 0 result, 1 response",
    "12 0: 0 deliver",
    "13 0: 0 statement, 0 response",
  ]);
});

test("tells a deadlock: who waited, who was refused, who went on", () => {
  expect(told(deadlock.trace)).toEqual([
    "1 0: 0 command",
    "2 1: 1 command",
    "3 0: 0 statement, 0 wait",
    "4 1: 1 statement, 1 wait, 1 result, 0 result, 1 response",
    "5 0: 0 deliver, 0 response",
  ]);
});

test("knows which client was preempted, and who is inside a transaction", () => {
  const steps = timeline(doubleBooking.trace);
  expect(steps.flatMap((s) => (s.preempts === undefined ? [] : [[s.number, s.preempts]]))).toEqual([
    [4, 0],
    [9, 1],
  ]);
  const inside = (client: number) =>
    steps.filter((s) => s.inTransaction.has(client)).map((s) => s.number);
  expect(inside(0)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  expect(inside(1)).toEqual([5, 6, 7, 8, 9, 10, 11]);
});

test("shows an answer beside its statement, or where it came after a wait", () => {
  const steps = timeline(doubleBooking.trace);
  expect(steps[1]?.happenings[0]).toMatchObject({ result: { tags: ["BEGIN"] } });
  expect(steps[9]?.happenings[0]).not.toHaveProperty("result");
  expect(steps[10]?.happenings[1]).toMatchObject({
    lane: "0",
    statement: { values: ["1"] },
    result: { tags: ["UPDATE 1"] },
  });
});

test("gives what came before the first move to the background", () => {
  const statement = { sql: "select 1", values: [] };
  expect(
    told([
      { type: "statement", lane: "bg", statement },
      { type: "result", lane: "bg", result: { tags: ["SELECT 1"], transaction: "idle" } },
      { type: "move", choice: { lane: "0", action: "start" }, enabled: [], preemption: false },
      { type: "result", lane: "0", result: { tags: [], transaction: "idle" } },
    ]),
  ).toEqual(["1 bg: bg statement", "2 0: "]);
});
