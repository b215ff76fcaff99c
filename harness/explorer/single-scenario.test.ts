import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { type Strategy, strategies } from "../scheduler/strategies.ts";
import type { CampaignOptions } from "./bounded-exploration.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ENVIRONMENT, OPTIONS, strategyNamed } from "./run-campaign.fixture.ts";
import { runCampaign } from "./run-campaign.ts";
import { executeToy, increment, toyService } from "./toy.fixture.ts";

function campaign(
  changes: Partial<CampaignOptions>,
  { service }: { readonly service: ReturnType<typeof toyService> },
) {
  return runCampaign(fakeExecutor(executeToy), service, ENVIRONMENT, { ...OPTIONS, ...changes });
}

describe("a campaign of a single scenario", () => {
  const two = { initial: 0, clients: [[increment], [increment]] };
  const single = (changes: Parameters<typeof toyService>[0]) =>
    ({ ...toyService({ scenarios: () => fc.constant(two), ...changes }), single: true }) as const;
  const auto = (options: object) => {
    const strategy = strategies({ preemptions: 2, ...options }).find(({ name }) => name === "auto");
    if (strategy === undefined) throw new Error("there is no auto");
    return strategy;
  };

  test("injects each fault at each place after its search, and then ends", async () => {
    const strategy = auto({ faults: ["cut-before"] });
    const service = single({ invariants: [] });
    const { campaign: done } = await campaign({ strategy, runs: 3_000 }, { service });
    expect(done.verdict).toBe("pass");
    expect(done.executions).toBe(20 + (done.faults["cut-before"] ?? 0));
    expect(done.faults["cut-before"]).toBeGreaterThan(20);
    expect(done.coverage).toContainEqual(
      expect.stringMatching(/^Each of \d+ possible faults of 1 scenario was injected/),
    );
  });

  test("goes on with its search after a violation unless it is to end, until the search is complete", async () => {
    const options = { strategy: auto({}), runs: 3_000 };
    const service = single({});
    const { campaign: all } = await campaign({ ...options, failFast: false }, { service });
    // 2 orders, 20 with reduction, which knows nothing of what steps touch, and 16 in the turns between them.
    expect(all).toMatchObject({ verdict: "fail", executions: 38 });
    expect(all.violations).toBeGreaterThan(1);
    expect(all.counterexamples).toHaveLength(1);
    const { campaign: first } = await campaign(options, { service });
    expect(first.violations).toBe(1);
    expect(all.counterexamples[0]?.execution).toBe(first.executions);
  });

  test("samples what has no gate after its search, and says how often a violation recurs", async () => {
    const state = { part: "the part", entries: ["0", "1"], tasks: ["0", "1"] };
    const scenario = { initial: 0, clients: [[increment], [increment]] };
    const run = (states: (typeof state)[], failsFreely: boolean) => {
      let searched = 0;
      const executor = Object.assign(
        fakeExecutor((given, scheduler) => {
          const execution = executeToy(given, scheduler);
          const isFree = execution.schedule.entries.some((entry) => entry.endsWith("+"));
          if (!isFree) searched++;
          const value = isFree && failsFreely ? 1 : 2;
          return { ...execution, snapshot: { counter: [{ value, expected: 2 }] } };
        }),
        { ungated: ["the part"], takeUngatedStates: () => (searched === 0 ? [] : states) },
      );
      const service = { ...toyService({ scenarios: () => fc.constant(scenario) }), single: true };
      const options = { ...OPTIONS, strategy: auto({}), runs: 3_000 };
      return runCampaign(executor, service, ENVIRONMENT, options);
    };
    const { campaign: passing } = await run([state], false);
    expect(passing).toMatchObject({
      ...{ verdict: "pass", executions: 238 },
      ungated: [{ name: "the part", sampled: 200 }],
    });
    const { campaign: unmet } = await run([], false);
    expect(unmet).toMatchObject({ executions: 38, ungated: [{ sampled: 0 }] });
    const { campaign: failing } = await run([state], true);
    expect(failing).toMatchObject({ verdict: "fail", executions: 39 });
    const [counterexample] = failing.counterexamples;
    expect(counterexample?.schedule.entries.join(" ")).toMatch(/^0 1 (0\+ 1|1\+ 0) /);
    expect(counterexample?.unrepeated).toEqual({
      recurs: "sometimes",
      why: expect.stringContaining("no gate can stand in the part"),
    });
    expect(counterexample?.unrepeated?.why).toContain("again in 20 of 20 replays");
  });

  test("is searched once, and counts once, also where the search ends before its budget", async () => {
    const short: Strategy = {
      ...auto({ reduction: false }),
      explore: (seed, used, times) => {
        const plan = auto({ reduction: false }).explore(seed, used, times);
        return times === "first" ? { ...plan, executions: 15 } : plan;
      },
    };
    const service = single({ invariants: [] });
    const { campaign: done } = await campaign({ strategy: short, runs: 100 }, { service });
    expect(done).toMatchObject({ executions: 100, scenarios: 1 });
    expect(done.coverage).toEqual([
      "All 14 interleavings with at most 2 preemptions of 1 scenario were executed.",
      expect.stringContaining("Each execution with random priorities"),
    ]);
  });

  test("reports a failing regression besides what it finds, unless it finds the same", async () => {
    const options = { strategy: auto({}), runs: 3_000 };
    const { campaign: found } = await campaign(options, { service: single({}) });
    const [counterexample] = found.counterexamples;
    if (counterexample === undefined) throw new Error("nothing was found");
    const { scenario, schedule, violations } = counterexample;
    const scheduler = new ReplayScheduler(schedule);
    scheduler.begin();
    const execution = executeToy(scenario as typeof two, scheduler);
    const failingRegressions = [{ file: "lost.json", execution, violations }];
    const service = single({});
    const { campaign: same } = await campaign({ ...options, failingRegressions }, { service });
    expect(same.counterexamples).toMatchObject([{ execution: found.executions }]);
    const serial = { ...options, strategy: strategyNamed("serial") };
    const { campaign: other } = await campaign({ ...serial, failingRegressions }, { service });
    expect(other).toMatchObject({ verdict: "fail", violations: 0 });
    expect(other.counterexamples).toMatchObject([{ execution: 0, regression: "lost.json" }]);
  });
});
