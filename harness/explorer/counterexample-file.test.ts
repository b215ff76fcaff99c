import fc from "fast-check";
import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Choice } from "../core/schedule.ts";
import type { Violation } from "../core/verdict.ts";
import { decodeCounterexample, encodeCounterexample } from "./counterexample-file.ts";
import { deadlock, doubleBooking } from "./sample-counterexample.fixture.ts";

const text = encodeCounterexample(doubleBooking);

function fault(damaged: string): HarnessError | undefined {
  try {
    decodeCounterexample(damaged);
    return undefined;
  } catch (error) {
    if (error instanceof HarnessError) return error;
    throw error;
  }
}

const json = fc.jsonValue().map((value) => value as Json);

const changed = (change: (file: Record<string, unknown>) => void) => {
  const file = JSON.parse(text);
  change(file);
  return JSON.stringify(file);
};

test("a replay file holds the passing serial run, if there is one", () => {
  const { schedule, trace } = doubleBooking;
  const beside = { ...doubleBooking, serial: { schedule, trace } };
  expect(decodeCounterexample(encodeCounterexample(beside))).toEqual(beside);
  const damaged = { ...beside, serial: { schedule } };
  expect(() =>
    decodeCounterexample(JSON.stringify({ heddle: "counterexample", ...damaged })),
  ).toThrow(HarnessError);
});

test("decoding is the inverse of encoding", () => {
  expect(decodeCounterexample(text)).toEqual(doubleBooking);
  expect(decodeCounterexample(encodeCounterexample(deadlock))).toEqual(deadlock);
});

test("a replay file holds every member of a violation and of a choice", () => {
  // The compiler sees to it that none is missing here.
  const violation: Required<Violation> = {
    ...{ checker: "serial-equivalence", name: "serially-equivalent", message: "", evidence: [] },
    about: ["public.items"],
    orders: [
      {
        order: [{ client: 0, operation: "order" }],
        answers: [
          { client: 0, operation: "order", execution: 1, order: 2, codes: { execution: "200" } },
        ],
        rows: [
          { table: "public.items", row: { id: 1 }, execution: { stock: 5 }, order: { stock: 4 } },
          { table: "public.items", row: { id: 2 }, onlyIn: "order" },
        ],
      },
    ],
  };
  const choice: Required<Choice> = { task: "0", action: "release", free: true };
  const move = { type: "move", choice, enabled: [choice], preemption: false } as const;
  const whole = { ...doubleBooking, violations: [violation], trace: [move] };
  expect(decodeCounterexample(encodeCounterexample(whole))).toEqual(whole);
});

test("a replay file holds any initial state and any arguments", () => {
  fc.assert(
    fc.property(json, json, (initial, argument) => {
      const scenario = { initial, clients: [[{ name: "create", argument }]] };
      const written = encodeCounterexample({ ...doubleBooking, scenario });
      const read = encodeCounterexample(decodeCounterexample(written));
      expect(read).toBe(written);
    }),
  );
});

test("a replay file is diffable: short lines, the violation on top, the same text each time", () => {
  expect(text).toBe(encodeCounterexample(structuredClone(doubleBooking)));
  expect(text.indexOf('"violations"')).toBeLessThan(text.indexOf('"trace"'));
  expect(text.length).toBeLessThan(20_000);
  expect(text.split("\n").length).toBeGreaterThan(100);
});

test("another version is refused with a sentence that says what to do", () => {
  const error = fault(changed((file) => (file["version"] = 1)));
  expect(error?.code).toBe("REPLAY_INCOMPATIBLE");
  expect(error?.message).toContain("version 1");
  expect(error?.message).toContain("seed");
});

test.each([
  ["not JSON", "%PDF-1.7"],
  ["nothing", ""],
  ["another JSON", '{"name": "heddle", "version": 1}'],
  ["a JSON that is no object", "null"],
  ["no version", '{"heddle": "counterexample"}'],
  ["a part missing", changed((file) => delete file["schedule"])],
  ["a part too many", changed((file) => (file["note"] = "x"))],
  ["no violation", changed((file) => (file["violations"] = []))],
  ["a task that cannot be", changed((file) => (file["schedule"] = { version: 1, tasks: ["x"] }))],
  ["an unknown event", changed((file) => (file["trace"] = [{ type: "note" }]))],
  ["a move without choice", changed((file) => (file["trace"] = [{ type: "move" }]))],
  [
    "an operation without name",
    changed((file) => (file["scenario"] = { initial: 1, clients: [[{}]] })),
  ],
])("%s is refused", (_, damaged) => {
  expect(fault(damaged)?.code).toBe("USAGE");
});

test("every truncated file is refused", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.trimEnd().length - 1 }), (length) => {
      expect(fault(text.slice(0, length))?.code).toBe("USAGE");
    }),
  );
});
