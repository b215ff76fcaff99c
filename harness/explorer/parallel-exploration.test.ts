import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import { type CampaignOptions, checkersFor } from "./bounded-exploration.ts";
import type { Campaign } from "./campaign.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { type Explorer, ScenarioExplorer, type ScenarioResult } from "./explore-scenario.ts";
import { ENVIRONMENT, strategyNamed as named, OPTIONS as PLAIN } from "./run-campaign.fixture.ts";
import { runCampaign } from "./run-campaign.ts";
import { executeToy, increment, look, type Toy, toyService } from "./toy.fixture.ts";

const sound = toyService({ invariants: [] });

const OPTIONS: CampaignOptions = { ...PLAIN, runs: 1_000, strategy: named("auto") };

type Changed = (
  explorer: Explorer<number, Toy>,
  ...given: Parameters<Explorer<number, Toy>["explore"]>
) => Promise<ScenarioResult<number, Toy>>;

/**
 * A campaign with further explorers; each execution takes at least one turn of the event loop.
 *
 * @param turns those of an execution of the campaign itself
 */
async function campaign(
  others: number,
  changes: Partial<CampaignOptions> = {},
  {
    service = sound,
    changed = ((it, ...given) => it.explore(...given)) as Changed,
    turns = 2,
  } = {},
) {
  const options = { ...OPTIONS, ...changes };
  let taken = 0;
  const slow = (turns: number) =>
    fakeExecutor(async (...given) => {
      for (let left = turns; left > 0; left--) await new Promise((next) => setImmediate(next));
      return executeToy(...given);
    });
  const explorers = Array.from({ length: others }, (_, number): Explorer<number, Toy> => {
    const executor = slow(1 + number * 2);
    const checkers = checkersFor(executor, service, options);
    const own = new ScenarioExplorer(executor, service, checkers, options);
    return {
      explore: (...given) => {
        taken++;
        return changed(own, ...given);
      },
    };
  });
  const { campaign: done, error } = await runCampaign(slow(turns), service, ENVIRONMENT, options, {
    explorers,
    joinMs: 0,
  });
  return { done, error, taken };
}

const withoutTimes = (done: Campaign) => ({
  ...done,
  startedAt: "",
  elapsedMs: 0,
  executionsPerSecond: 0,
});

describe("the result of a campaign does not depend on the number of explorers", () => {
  test.each<[string, Partial<CampaignOptions>]>([
    ["through the phases of auto", {}],
    ["with serial orders, cut off at a number of runs", { strategy: named("serial"), runs: 333 }],
    ["with random walks", { strategy: named("random"), runs: 200 }],
    ["of a shard", { runs: undefined, scenarios: 40, shard: { index: 1, of: 3 } }],
    ["with searches", { strategy: named("exhaustive"), runs: 700 }],
  ])("%s", async (_, changes) => {
    const alone = await campaign(0, changes);
    expect(alone.done.verdict).toBe("pass");
    for (const others of [1, 3]) {
      const together = await campaign(others, changes);
      expect(together.taken).toBeGreaterThan(0);
      expect(withoutTimes(together.done)).toEqual(withoutTimes(alone.done));
    }
  });

  describe("with visits to pairs", () => {
    const pairs = [look, increment].map((one) => ({
      name: `${one.name} × increment`,
      scenario: {
        initial: 7,
        clients: [
          [one, one],
          [increment, one],
        ],
      },
    }));
    const service = toyService({ pairs: () => pairs, invariants: [] });

    test.each([17, 25, 40, 41, 60, 200, undefined])("of a budget of %s", async (runs) => {
      const changes = runs === undefined ? { runs, scenarios: 30 } : { runs };
      const alone = await campaign(0, changes, { service });
      expect(alone.done.coverage[0]).toContain("of 2 pairs of operations");
      for (const others of [1, 3]) {
        const together = await campaign(others, changes, { service });
        expect(together.taken).toBeGreaterThan(0);
        expect(withoutTimes(together.done)).toEqual(withoutTimes(alone.done));
      }
    });

    test.each([17, 25, 40, 200, undefined])("and faults, of a budget of %s", async (runs) => {
      const limits = runs === undefined ? { runs, scenarios: 30 } : { runs };
      const strategy = strategyNamed("auto", { preemptions: 2, faults: ["cut-before"] });
      const alone = await campaign(0, { ...limits, strategy }, { service });
      expect(alone.done.faults["cut-before"]).toBeGreaterThan(1);
      for (const others of [1, 3]) {
        const together = await campaign(others, { ...limits, strategy }, { service });
        expect(withoutTimes(together.done)).toEqual(withoutTimes(alone.done));
      }
    });
  });

  test("when each rule has its first violation", async () => {
    const changes = { failFast: false, runs: 300 };
    const alone = await campaign(0, changes, { service: toyService() });
    const together = await campaign(3, changes, { service: toyService() });
    expect(alone.done.violations).toBeGreaterThan(1);
    expect(withoutTimes(together.done)).toEqual(withoutTimes(alone.done));
  });

  test("the earliest of several failures counts", async () => {
    for (const seed of [1, 2, 3]) {
      const alone = await campaign(0, { seed }, { service: toyService() });
      const together = await campaign(3, { seed }, { service: toyService() });
      expect(alone.done.verdict).toBe("fail");
      expect(withoutTimes(together.done)).toEqual(withoutTimes(alone.done));
    }
  });
});

test("an error of another explorer ends the campaign, unless a violation came before it", async () => {
  const lost = new HarnessError("CONNECTION_LOST", "a worker is gone");
  const changed: Changed = async (it, index, effort) => {
    const explored = await it.explore(index, { ...effort, executions: 0 });
    return { ...explored, error: lost };
  };
  const { done, error } = await campaign(1, {}, { changed });
  expect(done).toMatchObject({ verdict: "unknown", reason: "a worker is gone" });
  expect(error).toBe(lost);
  expect(done.executions).toBeLessThan(1_000);
});

test("an unexpected error of one explorer ends all of them, and is thrown", async () => {
  const changed: Changed = () => Promise.reject(new TypeError("a mistake"));
  await expect(campaign(2, {}, { changed })).rejects.toThrow("a mistake");
});

test("the limit of time and an interruption end all explorers", async () => {
  const timed = await campaign(2, { runs: undefined, timeMs: 100, strategy: named("random") });
  expect(timed.done.verdict).toBe("pass");
  const controller = new AbortController();
  const { done } = await campaign(2, {
    signal: controller.signal,
    onProgress: ({ executions }) => executions >= 100 && controller.abort(),
  });
  expect(done.verdict).toBe("unknown");
  expect(done.reason).toBe("interrupted before all 1,000 executions were made");
});

test("progress counts the executions of all explorers", async () => {
  const seen: number[] = [];
  const onProgress = ({ executions }: { executions: number }) => void seen.push(executions);
  await campaign(3, { strategy: named("random"), runs: 100, onProgress });
  expect(Math.max(...seen)).toBe(100);
});

test("a violation that another explorer finds beyond the limit is reported", async () => {
  const service = toyService();
  let beyond = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const changes = { seed, runs: 12, strategy: named("exhaustive") };
    let seen = 0;
    const onProgress = ({ violations }: { violations: number }) => {
      seen = Math.max(seen, violations);
    };
    const alone = await campaign(0, changes, { service });
    // The other one is far ahead when the limit is reached.
    const together = await campaign(1, { ...changes, onProgress }, { service, turns: 20 });
    expect([together.done.verdict, together.done.counterexamples.length]).toEqual(
      seen > 0 ? ["fail", 1] : ["pass", 0],
    );
    if (alone.done.verdict === "pass" && seen > 0) beyond++;
  }
  expect(beyond).toBeGreaterThan(0);
});
