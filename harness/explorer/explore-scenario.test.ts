import { expect, test } from "vitest";
import type { Checker } from "../checkers/checker.ts";
import { HarnessError } from "../core/error.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { RandomWalk } from "../scheduler/random.ts";
import type { Strategy } from "../scheduler/strategies.ts";
import { Checkers } from "./checkers.ts";
import { NOTHING_COVERED } from "./coverage.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ScenarioExplorer } from "./explore-scenario.ts";
import { EMPTY } from "./tally.ts";
import { executeToy, increment, type Toy, toyService } from "./toy.fixture.ts";

const serial: Strategy = {
  name: "serial",
  description: "",
  injectsFaults: false,
  explore: () => ({ executions: Number.POSITIVE_INFINITY, scheduler: new Exhaustive(0) }),
};

const both = { initial: 0, clients: [[increment], [increment]] };
const service = toyService({ pairs: () => [{ name: "both", scenario: both }] });

const effort = {
  used: () => 0,
  executions: Number.POSITIVE_INFINITY,
  more: () => true,
  onExecution: () => {},
};

function explorer(...checkers: readonly Checker<number, Toy>[]) {
  const options = { seed: 1, bounds: { minClients: 2, maxClients: 2 }, pairs: true };
  return new ScenarioExplorer(fakeExecutor(executeToy), service, new Checkers(checkers), {
    ...options,
    strategy: serial,
  });
}

function explore(...checkers: readonly Checker<number, Toy>[]) {
  return explorer(...checkers).explore(0, effort);
}

const rules = [{ checker: "comparison", name: "same", description: "" }];

test("a checker may execute the scenario further, which is counted apart", async () => {
  const seen: number[] = [];
  const explored = await explore({
    rules,
    check: async ({ scenario }, again) => {
      const other = await again(scenario, new RandomWalk(1));
      seen.push(other.trace.length);
      return { violations: [] };
    },
  });
  expect(explored.tally).toMatchObject({ executions: 2, compared: 2, undecided: 0 });
  expect(explored.complete).toBe(true);
  expect(seen).toHaveLength(2);
});

test("what was found last keeps its evidence, and what could not be checked its first reason", async () => {
  const violation = { checker: "comparison", name: "same", message: "", evidence: [] };
  const undecided = ["too many orders", "too long"];
  const explored = await explore(
    { rules, check: () => ({ violations: [], undecided: undecided.shift() }) },
    { rules, check: () => ({ violations: undecided.length === 0 ? [violation] : [] }) },
  );
  expect(explored.tally).toMatchObject({ executions: 2, undecided: 2, violations: 1 });
  expect(explored.undecided).toBe("too many orders");
  expect(explored.failing?.violations).toEqual([violation]);
});

test("a checker that breaks ends it; what the executor threw is told from that", async () => {
  const mistake = await explore({ rules, check: () => Promise.reject(new TypeError("a mistake")) });
  expect(mistake.error).toMatchObject({ code: "MODEL_FAILED" });
  expect(mistake.error?.message).toContain("a mistake");
  const lost = new HarnessError("CONNECTION_LOST", "the server is gone");
  const gone = await explore({ rules, check: () => Promise.reject(lost) });
  expect(gone.error).toBe(lost);
  expect(gone.tally.executions).toBe(0);
  // Nor is anything claimed of a scenario whose execution could not be finished.
  expect(gone).toMatchObject({ complete: false, coverage: NOTHING_COVERED });
});

test("a scenario counts once it was executed", async () => {
  expect((await explore()).tally).toMatchObject({ scenarios: 1, executions: 2 });
  const late = await explorer().explore(0, { ...effort, more: () => false });
  expect(late.tally).toEqual(EMPTY);
});
