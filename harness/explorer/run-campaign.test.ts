import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { RandomWalk } from "../scheduler/random.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { type Strategy, strategies } from "../scheduler/strategies.ts";
import type { CampaignOptions, Progress } from "./bounded-exploration.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ENVIRONMENT, OPTIONS, strategyNamed } from "./run-campaign.fixture.ts";
import { runCampaign } from "./run-campaign.ts";
import { executeToy, increment, look, lostUpdate, type Toy, toyService } from "./toy.fixture.ts";

const neverInjecting: Scheduler = {
  begin: () => true,
  choose: () => {
    throw new Error("another scheduler chooses");
  },
  inject: () => undefined,
};

/** A service whose rules always hold, and one that loses updates. */
const sound = toyService({ invariants: [] });
const unsound = toyService();

function campaign(
  changes: Partial<CampaignOptions>,
  { service = sound, execute = executeToy } = {},
) {
  return runCampaign(fakeExecutor(execute), service, ENVIRONMENT, { ...OPTIONS, ...changes });
}

describe("a campaign without a violation", () => {
  test("passes when its runs are done", async () => {
    const { campaign: done, error } = await campaign({});
    expect(done).toMatchObject({ verdict: "pass", reason: null, executions: 50, scenarios: 50 });
    expect(error).toBeUndefined();
    expect(done.counterexamples).toEqual([]);
  });

  test("passes when the time is up and is the only limit", async () => {
    const { campaign: done } = await campaign({ runs: undefined, timeMs: 50 });
    expect(done).toMatchObject({ verdict: "pass", reason: null });
    expect(done.executions).toBeGreaterThan(0);
  });

  test("is unknown when the time is up before the runs are done", async () => {
    const { campaign: done } = await campaign({ runs: 1e9, timeMs: 20 });
    expect(done.verdict).toBe("unknown");
    expect(done.reason).toBe("the time was up before all 1,000,000,000 executions were made");
  });

  test("is unknown if an operation never succeeded, not even in the campaign", async () => {
    const unreached = (...operations: readonly string[]) => ({
      ...sound,
      unreached: { operations, pairs: ["look × sell", "sell × sell"] },
    });
    const { campaign: done } = await campaign({}, { service: unreached("sell", "increment") });
    expect(done.verdict).toBe("unknown");
    expect(done.reason).toMatch(/^the operation sell never succeeded/);
    expect(done.coverage).toContainEqual(
      expect.stringMatching(/^For 2 pairs of operations .*: look × sell; sell × sell\./),
    );
    const others = await campaign({}, { service: unreached("increment") });
    expect(others.campaign.verdict).toBe("pass");
  });

  test("says that a search ended early, since executions of the same steps differed", async () => {
    let executed = 0;
    const execute: typeof executeToy = (scenario, scheduler) =>
      executeToy(
        executed++ === 0 ? scenario : { ...scenario, clients: scenario.clients.slice(0, 1) },
        scheduler,
      );
    const { campaign: done } = await campaign(
      { strategy: strategyNamed("exhaustive"), runs: 5 },
      { execute },
    );
    expect(done.uncontrolled.join()).toMatch(/ended before its end.*and then was not/);
    const { campaign: whole } = await campaign({ strategy: strategyNamed("exhaustive"), runs: 5 });
    expect(whole.uncontrolled.join()).not.toContain("ended before its end");
  });

  test("is unknown when nothing was executed", async () => {
    const { campaign: done } = await campaign({ runs: undefined, timeMs: 0 });
    expect(done).toMatchObject({
      verdict: "unknown",
      executions: 0,
      reason: "the time was up before the first execution",
    });
  });

  test("is unknown when no statement reached the gate, or not those of every client of a single scenario", async () => {
    const past =
      (...names: string[]): typeof executeToy =>
      (...input) => {
        const execution = executeToy(...input);
        const clients = execution.scenario.clients.map(([operation]) => operation?.name ?? "");
        return {
          ...execution,
          trace: execution.trace.filter(
            (event) =>
              event.type !== "statement" || !names.includes(clients[Number(event.task)] ?? ""),
          ),
        };
      };
    const one = { initial: 0, clients: [[increment], [look]] };
    const model = toyService({ invariants: [], scenarios: () => fc.constant(one) });
    const scenario = { ...model, single: true };
    const all = await campaign({}, { service: model, execute: past("increment", "look") });
    expect(all.campaign).toMatchObject({ verdict: "unknown", executions: 50 });
    expect(all.campaign.reason).toMatch(/^no operation sent a statement that reached the gate \(/);
    const some = await campaign({}, { service: model, execute: past("look") });
    expect(some.campaign.verdict).toBe("pass");
    const client = await campaign({}, { service: scenario, execute: past("look") });
    expect(client.campaign.verdict).toBe("unknown");
    expect(client.campaign.reason).toMatch(
      /^client look sent no statement that reached the gate \(/,
    );
  });

  test("is unknown when a fault that was asked for was possible and never injected; one without a place is named", async () => {
    const strategy: Strategy = {
      ...strategyNamed("random"),
      faults: ["cut-before", "kill-before"],
      explore: () => ({
        executions: 1,
        scheduler: neverInjecting,
      }),
    };
    const offering: typeof executeToy = (scenario, scheduler) => {
      scheduler.inject?.([{ task: "0", action: "cut-before" }], []);
      return executeToy(scenario, new RandomWalk(1));
    };
    const { campaign: done } = await campaign({ strategy }, { execute: offering });
    expect(done.verdict).toBe("unknown");
    expect(done.reason).toMatch(/possible and never injected \(cut-before\)/);
    expect(done.coverage).toContain("No execution had a place for these faults: kill-before.");
    const placeless: typeof executeToy = (scenario) => executeToy(scenario, new RandomWalk(1));
    expect((await campaign({ strategy }, { execute: placeless })).campaign.verdict).toBe("pass");
  });

  test("is unknown when it is interrupted, with the counts until then", async () => {
    const controller = new AbortController();
    const onProgress = ({ executions }: Progress) => {
      if (executions === 7) controller.abort();
    };
    const { campaign: done } = await campaign({ signal: controller.signal, onProgress });
    expect(done).toMatchObject({
      verdict: "unknown",
      executions: 7,
      scenarios: 7,
      reason: "interrupted before all 50 executions were made",
    });
  });

  test("is unknown when the harness fails, and says why", async () => {
    const failure = new HarnessError("CONNECTION_LOST", "the server is gone");
    let executed = 0;
    const execute: typeof executeToy = (...input) => {
      if (executed++ === 3) throw failure;
      return executeToy(...input);
    };
    const { campaign: done, error } = await campaign({}, { execute });
    expect(done).toMatchObject({ verdict: "unknown", executions: 3, reason: "the server is gone" });
    expect(error).toBe(failure);
  });

  test("is unknown when an invariant throws", async () => {
    const check = () => {
      throw new TypeError("no such column");
    };
    const service = toyService({ invariants: [{ ...lostUpdate, check }] });
    const { campaign: done, error } = await campaign({}, { service });
    expect(done.verdict).toBe("unknown");
    expect(error?.code).toBe("SERVICE_FAILED");
    expect(done.reason).toContain("no such column");
  });

  test("throws unexpected errors", async () => {
    const execute = () => {
      throw new TypeError("a mistake");
    };
    await expect(campaign({}, { execute })).rejects.toThrow("a mistake");
  });
});

describe("a campaign with a violation", () => {
  test("fails, ends at the violation, and shrinks it", async () => {
    const { campaign: done } = await campaign({ runs: 10_000 }, { service: unsound });
    expect(done).toMatchObject({ verdict: "fail", reason: null, violations: 1 });
    expect(done.executions).toBeLessThan(10_000);
    const [found] = done.counterexamples;
    expect(found?.scenario.clients).toEqual([[increment], [increment]]);
    expect(found).toMatchObject({ version: 3, seed: 1, preemptions: 1, service: "counter" });
    expect(found?.execution).toBe(done.executions);
    expect(found?.violations.map(({ name }) => name)).toEqual(["no-lost-update"]);
    expect(found?.shrunk.minimal).toBe(true);
  });

  test("fails also when there is no time for shrinking, or when shrinking fails", async () => {
    const { campaign: unshrunk } = await campaign({ shrinkTimeMs: 0 }, { service: unsound });
    expect(unshrunk.verdict).toBe("fail");
    expect(unshrunk.counterexamples[0]?.shrunk).toMatchObject({ executions: 0, minimal: false });
    let executed = 0;
    const execute: typeof executeToy = (...input) => {
      if (executed++ === unshrunk.executions) throw new HarnessError("STEP_TIMEOUT", "too slow");
      return executeToy(...input);
    };
    const { campaign: done, error } = await campaign({}, { service: unsound, execute });
    expect(done).toMatchObject({ verdict: "fail", reason: null });
    expect(done.counterexamples).toHaveLength(1);
    expect(error?.code).toBe("STEP_TIMEOUT");
  });
});

describe("with the determinism checker", () => {
  test("each schedule is executed twice", async () => {
    const { campaign: done } = await campaign({ checkDeterminism: true });
    expect(done).toMatchObject({ verdict: "pass", executions: 50, compared: 50 });
    expect(done.rules.map(({ checker, checked }) => [checker, checked])).toContainEqual([
      "determinism",
      50,
    ]);
  });

  test("a service that behaves differently the second time is caught", async () => {
    let executed = 0;
    const execute: typeof executeToy = (...given) => {
      const execution = executeToy(...given);
      const contents = { rows: [{ value: executed++ }] };
      return { ...execution, contents };
    };
    const { campaign: done } = await campaign({ checkDeterminism: true }, { execute });
    expect(done).toMatchObject({ verdict: "fail", executions: 1 });
    expect(done.counterexamples[0]?.violations.map(({ checker }) => checker)).toEqual([
      "determinism",
    ]);
    expect((await campaign({}, { execute })).campaign.verdict).toBe("pass");
  });
});

describe("the seed", () => {
  const withoutTimes = async (changes: Partial<CampaignOptions>) => {
    const { campaign: done } = await campaign(changes, { service: unsound });
    return { ...done, startedAt: "", elapsedMs: 0, executionsPerSecond: 0 };
  };

  test("determines everything but the times", async () => {
    expect(await withoutTimes({})).toEqual(await withoutTimes({}));
    expect((await withoutTimes({})).digest).not.toBe((await withoutTimes({ seed: 2 })).digest);
  });
});

test("a scenario ends when its scheduler has no schedule left, or at the limit of its plan", async () => {
  const serial = strategyNamed("serial");
  const { campaign: done } = await campaign({ strategy: serial, runs: 40 });
  expect(done.executions).toBe(40);
  expect(done.scenarios).toBeLessThan(20);
  expect(done.preemptions).toBe(0);
  const once: Strategy = {
    ...serial,
    explore: (...given) => ({ ...serial.explore(...given), executions: 1 }),
  };
  expect((await campaign({ strategy: once, runs: 40 })).campaign.scenarios).toBe(40);
});

test("the report says what an exhaustive search covered", async () => {
  const { campaign: all } = await campaign({ strategy: strategyNamed("exhaustive"), runs: 400 });
  expect(all.coverage.at(-1)).toMatch(
    /^All \d+ interleavings with at most 2 preemptions of \d+ scen/,
  );
  const { campaign: short } = await campaign({ strategy: strategyNamed("exhaustive"), runs: 1 });
  expect(short.coverage).toEqual([]);
});

test("the report says that a search without a bound skipped equivalent schedules", async () => {
  const found = strategies({ preemptions: Number.POSITIVE_INFINITY });
  const strategy = found.find(({ name }) => name === "exhaustive");
  if (strategy === undefined) throw new Error("no exhaustive search");
  expect(strategy.reduces).toBe(true);
  const bounds = { minClients: 2, maxClients: 2 };
  const { campaign: done } = await campaign({ strategy, bounds, runs: 2_000 });
  expect(done.coverage).toEqual([
    expect.stringMatching(
      /^All interleavings, without a bound, of [\d,]+ scenarios? were covered: /,
    ),
  ]);
});

test.each([
  { runs: 3_000 },
  { runs: undefined, scenarios: 200 },
])("auto goes from serial orders over searches to random priorities, within %o", async (limits) => {
  const { campaign: done } = await campaign({ strategy: strategyNamed("auto"), ...limits });
  expect(done.coverage.join(" ")).toMatch(
    /orders of whole operations.*at most 2 preemptions.*depth 3/,
  );
});

test("auto begins with random walks", async () => {
  const runs = 1_000;
  const given = { service: unsound };
  const { campaign: walks } = await campaign({ strategy: strategyNamed("random"), runs }, given);
  const { campaign: auto } = await campaign({ strategy: strategyNamed("auto"), runs }, given);
  expect(auto.digest).toBe(walks.digest);
  expect(walks).toMatchObject({ verdict: "fail" });
  expect(walks.executions).toBeLessThan(0.05 * runs);
});

describe("the pairs of a service", () => {
  const scenarioOf = (a: Toy, b: Toy) => ({ initial: 0, clients: [[a], [b]] });
  const withPairs = toyService({
    invariants: [],
    pairs: () => [
      { name: "looks", scenario: scenarioOf(look, look) },
      { name: "increments", scenario: scenarioOf(increment, increment) },
    ],
  });
  const exhaustive = { pairs: true, strategy: strategyNamed("exhaustive"), runs: undefined };

  test("are searched one after the other, with the number of their outcomes", async () => {
    const { campaign: done } = await campaign(exhaustive, { service: withPairs });
    expect(done).toMatchObject({ verdict: "pass", reason: null, scenarios: 2, patterns: [] });
    // A look has two steps, an increment three: there are 6 and 20 ways to interleave two of them.
    // Of the latter, 14 have at most 2 preemptions. The first client sees 0, the other one 0 or 1.
    expect(done.pairs).toEqual([
      { name: "looks", explored: 6, pruned: null, complete: true, outcomes: 1 },
      { name: "increments", explored: 14, pruned: null, complete: true, outcomes: 3 },
    ]);
    expect(done.executions).toBe(20);
  });

  test("give no pass when a limit cuts their searches short", async () => {
    const { campaign: done } = await campaign({ ...exhaustive, runs: 10 }, { service: withPairs });
    expect(done).toMatchObject({
      verdict: "unknown",
      executions: 10,
      reason: "1 of 2 pairs were not searched to the end",
    });
    expect(done.pairs.map(({ explored, complete }) => [explored, complete])).toEqual([
      [6, true],
      [4, false],
    ]);
  });

  test("give no pass when the strategy does not search", async () => {
    const walks = { ...exhaustive, strategy: strategyNamed("random") };
    const { campaign: done } = await campaign(walks, { service: withPairs });
    expect(done).toMatchObject({ verdict: "unknown", executions: 2 });
    expect(done.reason).toBe("2 of 2 pairs were not searched to the end");
  });

  test("end at a violation", async () => {
    const service = { ...withPairs, invariants: [lostUpdate] };
    const { campaign: done } = await campaign(exhaustive, { service });
    expect(done).toMatchObject({ verdict: "fail", reason: null });
    expect(done.pairs.map(({ complete }) => complete)).toEqual([true, false]);
    expect(done.counterexamples[0]?.preemptions).toBe(1);
  });

  test("are an error for a service without pairs", async () => {
    await expect(campaign(exhaustive)).rejects.toMatchObject({ code: "USAGE" });
  });
});
