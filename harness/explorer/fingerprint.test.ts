import { expect, test } from "vitest";
import type { TraceEvent } from "../core/trace.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { fingerprintOf, saturation } from "./fingerprint.ts";
import { executeToy, increment, look } from "./toy.fixture.ts";

const scenario = { initial: 0, clients: [[increment], [look]] };
const execution = executeToy(scenario, new RandomWalk(1));

test("executions with the same behaviour have the same fingerprint, whatever their order and values", () => {
  const other = executeToy(
    { ...scenario, initial: 7 },
    new ReplayScheduler({ version: 1, entries: ["1"] }),
  );
  expect(fingerprintOf(other)).toBe(fingerprintOf(execution));
});

test.each([
  ["another operation", executeToy({ initial: 0, clients: [[look], [look]] }, new RandomWalk(1))],
  ["one that waited", withEvent({ type: "wait", task: "1", for: ["0"] })],
  ["another end", { ...execution, completion: { type: "stuck", waits: "" } as const }],
])("%s gives another fingerprint", (_, other) => {
  expect(fingerprintOf(other)).not.toBe(fingerprintOf(execution));
});

function withEvent(event: TraceEvent<never>) {
  return { ...execution, trace: [...execution.trace, event] };
}

test("the saturation curve counts different fingerprints, and ends at the last execution", () => {
  const seen = [
    { scenario: 0, fingerprints: ["a", "b", "a"] },
    { scenario: 1, fingerprints: [] },
    { scenario: 2, fingerprints: ["b", "c"] },
  ];
  expect(saturation(seen).map(({ fingerprints }) => fingerprints)).toEqual([1, 2, 2, 2, 3]);
  expect(saturation([])).toEqual([]);
});

test("the saturation curve of a long campaign is short", () => {
  const fingerprints = Array.from({ length: 10_007 }, (_, at) => String(at % 90));
  const points = saturation([{ scenario: 0, fingerprints }]);
  expect(points.length).toBeLessThan(60);
  expect(points.at(-1)).toEqual({ executions: 10_007, fingerprints: 90 });
});
