import { describe, expect, test } from "vitest";
import { preemptionCount } from "../core/execution.ts";
import type { Fault } from "../core/fault.ts";
import { strategyNamed as builtIn } from "../scheduler/strategies.ts";
import type { Pair } from "../service/service.ts";
import type { CampaignOptions } from "./bounded-exploration.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ENVIRONMENT, OPTIONS, strategyNamed } from "./run-campaign.fixture.ts";
import { runCampaign } from "./run-campaign.ts";
import { ScenarioOrder } from "./scenario-order.ts";
import {
  executeToy,
  increment,
  look,
  type Toy,
  type ToyExecution,
  toyService,
} from "./toy.fixture.ts";

// A generated scenario never begins with 7.
const scenarioOf = (...clients: readonly (readonly Toy[])[]) => ({ initial: 7, clients });
const pair = (a: Toy, b: Toy, note = "") => ({
  name: `${a.name} × ${b.name}${note}`,
  scenario: scenarioOf([a], [b]),
});
const PAIRS = [
  pair(look, look),
  pair(look, increment),
  pair(increment, look, ", again"),
  pair(increment, increment),
];

/** The numbers from 0 on, each as the pair and the round of its visit, or as a generated number. */
function numbers(order: ScenarioOrder<number, Toy>, count: number): readonly (string | number)[] {
  return Array.from({ length: count }, (_, index) => {
    const { visit, generated } = order.at(index);
    return visit ? `${visit.pair.name}: ${visit.round}` : generated;
  });
}

describe("the order of scenarios", () => {
  test("visits all pairs in each round; generated scenarios take turns with them", () => {
    expect(numbers(new ScenarioOrder(PAIRS, 2, undefined), 12)).toEqual([
      "look × look: 0",
      "increment × increment: 0",
      "look × increment: 0",
      "increment × look, again: 0",
      "look × look: 1",
      0,
      "increment × increment: 1",
      "look × increment: 1",
      "increment × look, again: 1",
      1,
      2,
      3,
    ]);
  });

  test("has no visits without pairs, or where the strategy wants none", () => {
    expect(numbers(new ScenarioOrder([], 2, undefined), 3)).toEqual([0, 1, 2]);
    expect(numbers(new ScenarioOrder(PAIRS, 0, undefined), 3)).toEqual([0, 1, 2]);
  });

  test("has at most as many visits as generated scenarios, where these are limited", () => {
    const order = new ScenarioOrder(PAIRS, 2, 3);
    expect(order.end).toBe(6);
    expect(numbers(order, order.end).filter((it) => typeof it === "string")).toHaveLength(3);
    expect(new ScenarioOrder(PAIRS, 2, 100).end).toBe(108);
    expect(new ScenarioOrder(PAIRS, 2, undefined).end).toBe(Number.POSITIVE_INFINITY);
  });

  test("gives pairs two thirds of the budget, and sampling what they leave", () => {
    const order = new ScenarioOrder(PAIRS, 2, undefined);
    const visit = 0;
    const during = 5;
    const after = 100;
    const spent = { used: 0.4, executions: 400, pairExecutions: 300 };
    expect(order.used(visit, spent)).toBeCloseTo(0.45);
    expect(order.used(during, spent)).toBeCloseTo(0.3);
    expect(order.used(after, spent)).toBeCloseTo(0.1 / 0.7);
    expect(order.used(after, { ...spent, used: 1 })).toBeCloseTo(1);
    expect(order.used(visit, { used: 0, executions: 0, pairExecutions: 0 })).toBe(0);
    expect(new ScenarioOrder([], 2, 10).used(3, { ...spent, pairExecutions: 0 })).toBe(0.4);
  });
});

describe("a visit", () => {
  test("takes a fair part of what pairs may use, and no more than they have left", () => {
    const four = new ScenarioOrder(PAIRS, 2, undefined);
    // Pairs may use 80 of 120.
    expect(four.most(0, 120, 0)).toBe(20);
    expect(four.most(0, 120, 70)).toBe(10);
    expect(four.most(0, 120, 80)).toBe(0);
    const many = new ScenarioOrder(Array(100).fill(pair(look, look)), 2, undefined);
    expect(many.most(0, 120, 0)).toBe(10);
  });

  test("alone has such a limit", () => {
    const order = new ScenarioOrder(PAIRS, 2, undefined);
    expect(order.most(5, 120, 80)).toBe(Number.POSITIVE_INFINITY);
    expect(order.fairPart(5, 120)).toBe(Number.POSITIVE_INFINITY);
    expect(order.fairPart(0, 120)).toBe(20);
    expect(order.fairPart(0, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a campaign of a service with pairs", () => {
  const service = toyService({ pairs: () => PAIRS, invariants: [] });

  interface Changes extends Partial<Omit<CampaignOptions, "pairs">> {
    readonly pairs?: readonly Pair<number, Toy>[];
    /** The faults that are possible at each statement. */
    readonly kinds?: readonly Fault[];
  }

  async function explored({ pairs = PAIRS, kinds, ...changes }: Changes) {
    const seen: ToyExecution[] = [];
    const executor = fakeExecutor((scenario, scheduler) => {
      const execution = executeToy(scenario, scheduler, kinds);
      seen.push(execution);
      return execution;
    });
    const options = { ...OPTIONS, strategy: strategyNamed("auto"), ...changes };
    const visited = { ...service, pairs: () => pairs };
    const { campaign } = await runCampaign(executor, visited, ENVIRONMENT, options);
    const ofPairs = seen.filter(({ scenario }) => scenario.initial === 7);
    const visits = ofPairs.map(({ scenario, schedule, trace }) => ({
      pair: scenario.clients.flat().map(({ name }) => name),
      schedule: schedule.entries,
      preemptions: preemptionCount(trace),
    }));
    return { campaign, seen, ofPairs: visits };
  }

  test("executes the same schedules of the pairs with every seed", async () => {
    const [one, other] = [await explored({ seed: 1 }), await explored({ seed: 2 })];
    expect(one.ofPairs).toEqual(other.ofPairs);
    expect(one.seen).not.toEqual(other.seen);
  });

  test("executes the orders of whole operations of all pairs, and then one preemption of all", async () => {
    const { campaign, ofPairs } = await explored({ runs: 200 });
    const orders = ofPairs.slice(0, 8);
    expect(orders.map(({ preemptions }) => preemptions)).toEqual(Array(8).fill(0));
    expect(new Set(ofPairs.map(({ preemptions }) => preemptions))).toEqual(new Set([0, 1]));
    expect(campaign).toMatchObject({ executions: 200, verdict: "pass" });
    const different = new Set(ofPairs.map((execution) => JSON.stringify(execution)));
    expect(campaign.coverage[0]).toBe(
      `All ${different.size} interleavings with at most 1 preemption of 4 pairs of operations were executed.`,
    );
  });

  test("leaves sampling its third where the runs do not suffice for all pairs", async () => {
    const { ofPairs, seen } = await explored({ runs: 12 });
    expect(ofPairs.length).toBeGreaterThanOrEqual(8);
    expect(seen.length - ofPairs.length).toBeGreaterThanOrEqual(2);
  });

  test("counts each pair as one scenario, and not among those that a generator made", async () => {
    const patterns = [{ name: "all", description: "", threshold: 0.9, matches: () => true }];
    const counted = { ...service, patterns };
    const { campaign } = await runCampaign(fakeExecutor(executeToy), counted, ENVIRONMENT, {
      ...OPTIONS,
      ...{ strategy: strategyNamed("auto"), runs: undefined, scenarios: 20 },
    });
    expect(campaign.scenarios).toBe(24);
    expect(campaign.patterns[0]).toMatchObject({ scenarios: 20, share: 1, missed: false });
  });

  test("injects each fault at each place of the pairs where faults are asked for", async () => {
    const strategy = builtIn("auto", { preemptions: 2, faults: ["cut-before"] });
    const { ofPairs } = await explored({ strategy, runs: 200 });
    // Without a fault; then a cut before the one statement of each look.
    expect(ofPairs.slice(0, 3).map(({ schedule }) => schedule.join(" "))).toEqual([
      "0 0 1 1",
      "0 0!cut-before 1 1",
      "0 0 1 1!cut-before",
    ]);
    expect(new Set(ofPairs.map(({ preemptions }) => preemptions))).toEqual(new Set([0]));
  });

  test("injects each fault of each kind at each place of each pair, where the budget is large", async () => {
    const kinds = ["cut-before", "cut-after", "terminate", "kill-after", "crash"] as const;
    // 40 statements with 5 kinds each: the pair needs all rounds.
    const long = Array.from({ length: 20 }, () => look);
    const pairs = [pair(look, increment), { name: "long", scenario: scenarioOf(long, long) }];
    const { ofPairs } = await explored({
      ...{ strategy: builtIn("auto", { preemptions: 2, faults: kinds }), runs: 3_000 },
      ...{ pairs, kinds },
    });
    const injected = ofPairs.flatMap(({ pair: names, schedule }) => {
      const at = schedule.findIndex((entry) => entry.includes("!"));
      return at < 0 ? [] : `${names.length}: ${schedule.slice(0, at + 1).join(" ")}`;
    });
    expect(new Set(injected).size).toBe(injected.length);
    expect(injected.filter((it) => it.startsWith("2:"))).toHaveLength(3 * kinds.length);
    expect(injected.filter((it) => it.startsWith("40:"))).toHaveLength(40 * kinds.length);
  });

  const KINDS = ["cut-before", "cut-after", "cancel", "terminate", "kill-after", "crash"] as const;

  test.each([
    12, 20, 40, 41, 100,
  ])("explores several pairs, and samples, in %s executions with faults", async (runs) => {
    const strategy = builtIn("auto", { preemptions: 2, faults: KINDS });
    const long = Array.from({ length: 20 }, () => look);
    const pairs = [1, 2, 3, 4].map((initial) => ({
      name: `long ${initial}`,
      scenario: scenarioOf(long, long.slice(initial)),
    }));
    const { ofPairs, seen } = await explored({ strategy, runs, pairs, kinds: KINDS });
    expect(seen).toHaveLength(runs);
    expect(ofPairs).toHaveLength(Math.ceil((2 * runs) / 3));
    expect(new Set(ofPairs.map(({ pair: names }) => names.length)).size).toBe(4);
  });

  test("is unknown where the budget is too small for a kind of fault that was possible", async () => {
    const strategy = builtIn("auto", { preemptions: 2, faults: KINDS });
    const { campaign: small } = await explored({ strategy, runs: 12, kinds: KINDS });
    expect(small.verdict).toBe("unknown");
    expect(small.reason).toMatch(
      /^faults that were asked for were possible and never injected \(.*crash.*\): the budget was too small; give more --runs or --time$/,
    );
    const { campaign: large } = await explored({ strategy, runs: 200, kinds: KINDS });
    expect(large).toMatchObject({ verdict: "pass", reason: null });
  });
});
