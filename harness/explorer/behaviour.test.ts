import { expect, test } from "vitest";
import type { TraceEvent } from "../core/trace.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { Replay } from "../scheduler/replay.ts";
import { behaviourOf, saturation } from "./behaviour.ts";
import { executeToy, increment, look } from "./toy.fixture.ts";

const scenario = { initial: 0, clients: [[increment], [look]] };
const execution = executeToy(scenario, new RandomWalk(1));

test("executions that look alike behave the same, whatever the order and the values", () => {
  const other = executeToy({ ...scenario, initial: 7 }, new Replay({ version: 1, lanes: ["1"] }));
  expect(behaviourOf(other)).toBe(behaviourOf(execution));
});

test.each([
  ["another command", executeToy({ initial: 0, clients: [[look], [look]] }, new RandomWalk(1))],
  ["one that waited", withEvent({ type: "wait", lane: "1", for: ["0"] })],
  ["another end", { ...execution, ending: { type: "stuck", waits: "" } as const }],
])("%s is another behaviour", (_, other) => {
  expect(behaviourOf(other)).not.toBe(behaviourOf(execution));
});

function withEvent(event: TraceEvent<never>) {
  return { ...execution, trace: [...execution.trace, event] };
}

test("the curve counts what is known, and ends at the end", () => {
  const seen = [
    { scenario: 0, behaviours: ["a", "b", "a"] },
    { scenario: 1, behaviours: [] },
    { scenario: 2, behaviours: ["b", "c"] },
  ];
  expect(saturation(seen).map(({ behaviours }) => behaviours)).toEqual([1, 2, 2, 2, 3]);
  expect(saturation([])).toEqual([]);
});

test("the curve of a long campaign is short", () => {
  const behaviours = Array.from({ length: 10_007 }, (_, at) => String(at % 90));
  const points = saturation([{ scenario: 0, behaviours }]);
  expect(points.length).toBeLessThan(60);
  expect(points.at(-1)).toEqual({ executions: 10_007, behaviours: 90 });
});
