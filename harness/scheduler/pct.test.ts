import { describe, expect, test } from "vitest";
import type { Scenario } from "../core/scenario.ts";
import { Pct, pctBound } from "./pct.ts";
import { type StatementCounts, walk } from "./toy.fixture.ts";

const scenarioOf = (toy: StatementCounts): Scenario => ({
  initial: null,
  clients: toy.map((operations) => operations.map(() => ({ name: "toy" }))),
});

function schedules(
  toy: StatementCounts,
  seed: number,
  depth: number,
  executions: number,
): string[] {
  const scheduler = new Pct(seed, depth);
  return Array.from({ length: executions }, () => {
    scheduler.begin(scenarioOf(toy));
    return walk(toy, scheduler).entries.join("");
  });
}

describe("probabilistic concurrency testing", () => {
  test("makes the same executions with the same seed", () => {
    expect(schedules([[3], [3]], 5, 3, 50)).toEqual(schedules([[3], [3]], 5, 3, 50));
    expect(schedules([[3], [3]], 5, 3, 50)).not.toEqual(schedules([[3], [3]], 6, 3, 50));
  });

  test("with depth 1 never preempts, and each client is first equally often", () => {
    const seen = schedules([[2], [2], [2]], 1, 1, 600);
    expect(new Set(seen).size).toBe(6);
    const first = seen.filter((entries) => entries.startsWith("0")).length;
    expect(first).toBeGreaterThan(150);
    expect(first).toBeLessThan(250);
  });

  test("with depth d preempts at most d - 1 times", () => {
    for (const depth of [2, 3, 4]) {
      const scheduler = new Pct(depth, depth);
      for (let i = 0; i < 200; i++) {
        scheduler.begin(scenarioOf([[4], [4], [4]]));
        expect(walk([[4], [4], [4]], scheduler).preemptions).toBeLessThanOrEqual(depth - 1);
      }
    }
  });

  test("hits each schedule of depth 2 at least as often as its bound says", () => {
    const toy = [[3], [3]];
    const executions = 4_000;
    const seen = schedules(toy, 9, 2, executions);
    // Client 0 is preempted after its k-th step, client 1 runs to its end, client 0 continues.
    for (const k of [1, 2, 3]) {
      const schedule = "0".repeat(k) + "1".repeat(4) + "0".repeat(4 - k);
      const share = seen.filter((entries) => entries === schedule).length / executions;
      expect(share).toBeGreaterThanOrEqual(pctBound(2, 8, 2) * 0.8);
    }
  });

  test("claims its bound only for executions with no more steps than were expected", () => {
    const scheduler = new Pct(1, 3);
    const long = [[19], [19]];
    scheduler.begin(scenarioOf(long));
    expect(scheduler.boundedSteps).toBe(0);
    walk(long, scheduler);
    // 8 steps were expected, and there were 40.
    expect(scheduler.boundedSteps).toBe(0);
    scheduler.begin(scenarioOf(long));
    walk(long, scheduler);
    expect(scheduler.boundedSteps).toBe(40);
  });

  test("fails if no task is enabled", () => {
    expect(() => new Pct(1, 2).choose([])).toThrow("choose from nothing");
  });
});
