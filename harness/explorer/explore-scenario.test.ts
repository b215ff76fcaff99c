import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Checker } from "../checkers/checker.ts";
import { Checkers } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { RandomWalk } from "../scheduler/random.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Strategy } from "../scheduler/strategies.ts";
import { NO_COVERAGE } from "./coverage.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ScenarioExplorer } from "./explore-scenario.ts";
import { EMPTY_TALLY } from "./tally.ts";
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
  timeMs: Number.POSITIVE_INFINITY,
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

test("executions that a checker makes for comparison are counted apart", async () => {
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

test("what an execution of a checker discovers makes the search begin anew", async () => {
  const executor = fakeExecutor(executeToy);
  let grew = 0;
  const scheduler = Object.assign(new Exhaustive(0), { footprintsGrew: () => grew++ });
  const discovering: Checker<number, Toy> = {
    rules,
    check: async () => {
      executor.discoveries.readsStart("0.0");
      return { violations: [] };
    },
  };
  const strategy = { ...serial, explore: () => ({ executions: 3, scheduler }) };
  const options = { seed: 1, bounds: { minClients: 2, maxClients: 2 }, pairs: true, strategy };
  await new ScenarioExplorer(executor, service, new Checkers([discovering]), options).explore(
    0,
    effort,
  );
  // Only the first of the executions discovered something.
  expect(grew).toBe(1);
});

test("the failing execution keeps its evidence, an undecided one the first reason", async () => {
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

test("an error of a checker ends the exploration; an error of the executor keeps its code", async () => {
  const mistake = await explore({ rules, check: () => Promise.reject(new TypeError("a mistake")) });
  expect(mistake.error).toMatchObject({ code: "SERVICE_FAILED" });
  expect(mistake.error?.message).toContain("a mistake");
  const lost = new HarnessError("CONNECTION_LOST", "the server is gone");
  const gone = await explore({ rules, check: () => Promise.reject(lost) });
  expect(gone.error).toBe(lost);
  expect(gone.tally.executions).toBe(0);
  // A scenario with an incomplete execution has no coverage.
  expect(gone).toMatchObject({ complete: false, coverage: NO_COVERAGE });
});

test("clients run freely in samples, also where the places of faults are noted", async () => {
  const state = { part: "the part", entries: ["0", "1"], tasks: ["0", "1"] };
  const chosenBy: Scheduler[] = [];
  const executor = Object.assign(
    fakeExecutor((scenario, scheduler) => {
      chosenBy.push(scheduler);
      return executeToy(scenario, scheduler);
    }),
    { ungated: [state.part], takeUngatedStates: () => (chosenBy.length === 0 ? [] : [state]) },
  );
  const single = { ...toyService({ scenarios: () => fc.constant(both) }), single: true } as const;
  const explored = await new ScenarioExplorer(executor, single, new Checkers([]), {
    ...{ seed: 1, bounds: { minClients: 2, maxClients: 2 }, pairs: false },
    strategy: { ...serial, faults: ["cut-before"] },
  }).explore(0, { ...effort, executions: 12 });
  expect(explored.samples).toEqual({ "the part": 10 });
  const samples = chosenBy.slice(-10);
  expect(samples.map(({ fair }) => fair)).toEqual(Array(10).fill(false));
  const delays = samples.flatMap((one) => Array.from({ length: 20 }, () => one.delayMs?.() ?? 0));
  expect(delays.some((ms) => ms > 0)).toBe(true);
});

test.each([
  ["is waited for if it takes less than twice as long as one before it", 5_000, false],
  ["is given up if it takes longer", 20_000, true],
])("an execution that goes on after the time is up %s", async (_, ms, isGivenUp) => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance"] });
  const durations = [3_000, ms];
  let given = false;
  const slow = fakeExecutor(async (scenario, scheduler) => {
    await new Promise((resolve) => setTimeout(resolve, durations.shift()));
    return executeToy(scenario, scheduler);
  });
  const executor = Object.assign(slow, { giveUp: () => (given = true) });
  const options = { seed: 1, bounds: { minClients: 2, maxClients: 2 }, pairs: true };
  const end = performance.now() + 3_100;
  const more = () => performance.now() < end;
  try {
    const one = new ScenarioExplorer(executor, service, new Checkers([]), {
      ...{ ...options, strategy: serial },
    });
    const exploring = one.explore(0, { ...effort, more });
    await vi.advanceTimersByTimeAsync(30_000);
    await exploring;
  } finally {
    vi.useRealTimers();
  }
  expect(given).toBe(isGivenUp);
});

test("a scenario counts once it was executed", async () => {
  expect((await explore()).tally).toMatchObject({ scenarios: 1, executions: 2 });
  const late = await explorer().explore(0, { ...effort, more: () => false });
  expect(late.tally).toEqual(EMPTY_TALLY);
  const short = await explorer().explore(0, { ...effort, timeMs: 0 });
  expect(short.tally).toEqual(EMPTY_TALLY);
});
