import { expect, test } from "vitest";
import { RandomWalk } from "../scheduler/random.ts";
import { summaryOf } from "./campaign-totals.ts";
import { NO_COVERAGE } from "./coverage.ts";
import { Exploration } from "./exploration.ts";
import type { ScenarioResult } from "./explore-scenario.ts";
import { EMPTY_TALLY } from "./tally.ts";
import { executeToy, increment, type Toy } from "./toy.fixture.ts";

const explored = (
  changes: Partial<ScenarioResult<number, Toy>> = {},
): ScenarioResult<number, Toy> => ({
  tally: { ...EMPTY_TALLY, scenarios: 1, executions: 2 },
  coverage: NO_COVERAGE,
  fingerprints: ["a", "b"],
  digest: "a",
  complete: true,
  pruned: null,
  outcomes: 1,
  failing: undefined,
  undecided: undefined,
  error: undefined,
  ...changes,
});

const pattern = (threshold: number) => ({
  name: "crowd",
  description: "three clients",
  threshold,
  matches: () => false,
});

function shareOf(matching: number, of: number, threshold: number) {
  const exploration = new Exploration<number, Toy>([]);
  for (let at = 0; at < of; at++) {
    const patterns = at < matching ? { crowd: 1 } : {};
    exploration.add(explored({ tally: { ...EMPTY_TALLY, scenarios: 1, patterns } }));
  }
  return summaryOf(exploration.total(), [], [pattern(threshold)]).patterns[0];
}

test("the summary has the share of each pattern", () => {
  expect(shareOf(0, 0, 0.1)).toMatchObject({ scenarios: 0, share: 0 });
  expect(shareOf(1, 4, 0.1)).toEqual({
    name: "crowd",
    description: "three clients",
    threshold: 0.1,
    scenarios: 1,
    share: 0.25,
    missed: false,
  });
});

test("a pattern is missed when its share is lower than chance explains", () => {
  const missed = [0, 0.01, 0.2, 1].map((threshold) => shareOf(0, 100, threshold)?.missed);
  expect(missed).toEqual([false, false, true, true]);
});

test("a failing execution has its number and its scenario's; the first reason for an undecided one is kept", () => {
  const exploration = new Exploration<number, Toy>([]);
  const execution = executeToy({ initial: 0, clients: [[increment]] }, new RandomWalk(1));
  exploration.add(explored());
  exploration.add(explored({ undecided: "too long" }));
  exploration.add(explored({ undecided: "much too long", failing: { execution, violations: [] } }));
  expect(exploration.failures.all).toMatchObject([
    { executionNumber: 6, scenarioNumber: 2, execution },
  ]);
  expect(exploration.undecided).toBe("too long");
});

test("the digests of two campaigns differ if their scenarios or their order differ", () => {
  const digest = (...all: string[]) => {
    const exploration = new Exploration<number, Toy>([]);
    for (const it of all) exploration.add(explored({ digest: it }));
    return exploration.total().digest;
  };
  expect(digest("a", "b")).toBe(digest("a", "b"));
  expect(digest("a", "b")).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set([digest("a", "b"), digest("b", "a"), digest("a"), digest()]).size).toBe(4);
});

test("a large sample without a violation gives a bound by the rule of three", () => {
  const sampled = (scenarios: number, violations = 0) => {
    const exploration = new Exploration<number, Toy>([]);
    exploration.add(explored({ tally: { ...EMPTY_TALLY, scenarios, violations } }));
    return summaryOf(exploration.total(), [], []).coverage.join();
  };
  expect(sampled(20_000)).toContain("Fewer than one in 6,666 generated scenarios breaks a rule");
  expect(sampled(99)).toBe("");
  expect(sampled(20_000, 1)).toBe("");
});
