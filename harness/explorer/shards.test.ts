import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { CampaignOptions } from "./bounded-exploration.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { ENVIRONMENT, OPTIONS, strategyNamed } from "./run-campaign.fixture.ts";
import { runCampaign } from "./run-campaign.ts";
import { mergeShards, type ShardPart } from "./shards.ts";
import { executeToy, increment, look, lostUpdate, toyService } from "./toy.fixture.ts";

const SCENARIOS = 30;
const sound = toyService({
  invariants: [],
  patterns: [
    {
      name: "crowd",
      description: "",
      threshold: 0.1,
      matches: ({ clients }) => clients.length > 2,
    },
  ],
});

async function part(
  index: number,
  of: number,
  changes: Partial<CampaignOptions> = {},
  service = sound,
): Promise<ShardPart> {
  const shard = { index, of };
  const options = { ...OPTIONS, runs: undefined, scenarios: SCENARIOS, shard, ...changes };
  const executor = fakeExecutor(executeToy);
  const { campaign, total } = await runCampaign(executor, service, ENVIRONMENT, options);
  return { shard, scenarios: options.pairs ? null : SCENARIOS, campaign, total };
}

const shards = (of: number, changes = {}, service = sound) =>
  Promise.all([...Array(of).keys()].map((index) => part(index, of, changes, service)));

const timeless = ({
  startedAt,
  elapsedMs,
  executionsPerSecond,
  ...rest
}: ShardPart["campaign"]) => {
  expect([startedAt, elapsedMs, executionsPerSecond]).not.toContain(undefined);
  return rest;
};

test.each([
  "random",
  "auto",
  "pct",
])("four shards merge into the result of one run, strategy %s", async (name) => {
  const strategy = strategyNamed(name);
  const whole = await part(0, 1, { strategy });
  const four = await shards(4, { strategy });
  expect(timeless(mergeShards(four))).toEqual(timeless(whole.campaign));
  expect(timeless(mergeShards(four.toReversed()))).toEqual(timeless(whole.campaign));
  expect(whole.campaign).toMatchObject({ verdict: "pass", scenarios: SCENARIOS });
});

test("shards divide the pairs of a service", async () => {
  const pairs = ["a", "b", "c"].map((name) => ({
    name,
    scenario: { initial: 0, clients: [[increment], [look]] },
  }));
  const service = { ...sound, pairs: () => pairs };
  const changes = { pairs: true, strategy: strategyNamed("exhaustive") };
  const whole = await part(0, 1, changes, service);
  const two = await shards(2, changes, service);
  expect(timeless(mergeShards(two))).toEqual(timeless(whole.campaign));
  expect(whole.campaign.pairs.every(({ complete }) => complete)).toBe(true);
  expect(two[0]?.campaign.verdict).toBe("pass");
});

test("a violation in one shard is a violation of the campaign", async () => {
  const unsound = toyService();
  const found = mergeShards(await shards(3, {}, unsound));
  expect(found.verdict).toBe("fail");
  expect(found.counterexamples).toHaveLength(1);
});

describe("a merged campaign", () => {
  test("is unknown if a shard is missing or unknown", async () => {
    const [first, second] = await shards(2);
    if (first === undefined || second === undefined) throw new Error("there are two");
    expect(mergeShards([second])).toMatchObject({
      verdict: "unknown",
      reason: "shard 1 of 2 is missing",
    });
    const doubtful = { ...second.campaign, verdict: "unknown", reason: "out of time" } as const;
    expect(mergeShards([first, { ...second, campaign: doubtful }])).toMatchObject({
      verdict: "unknown",
      reason: "shard 2: out of time",
    });
  });

  test.each<[string, (part: ShardPart) => ShardPart]>([
    ["seed", (it) => ({ ...it, campaign: { ...it.campaign, seed: 2 } })],
    ["hashes", (it) => ({ ...it, campaign: { ...it.campaign, hashes: { a: "b" } } })],
    [
      "settings",
      ({ campaign, ...it }) => ({
        ...it,
        campaign: {
          ...campaign,
          settings: { ...campaign.settings, faults: ["cancel"] },
        },
      }),
    ],
    ["set of rules", (it) => ({ ...it, campaign: { ...it.campaign, rules: [] } })],
    ["number of scenarios", (it) => ({ ...it, scenarios: 31 })],
    ["number of shards", (it) => ({ ...it, shard: { ...it.shard, of: 3 } })],
    ["twice", (it) => ({ ...it, shard: { index: 0, of: 2 } })],
  ])("is refused if the shards differ: %s", async (says, changed) => {
    const [first, second] = await shards(2);
    if (first === undefined || second === undefined) throw new Error("there are two");
    const wrong = () => mergeShards([first, changed(second)]);
    expect(wrong).toThrow(HarnessError);
    expect(wrong).toThrow(says);
  });

  test("of no shards is refused", () => {
    expect(() => mergeShards([])).toThrow("nothing to merge");
  });
});

test("without failFast a merged campaign has the first violation of each rule", async () => {
  const never = { ...lostUpdate, name: "never", check: () => [] };
  const other = {
    ...lostUpdate,
    name: "no-look",
    check: ({ counter = [] }) =>
      counter.map((row) => ({
        checker: "invariant",
        name: "no-look",
        message: "",
        evidence: [row],
      })),
  };
  const service = toyService({ invariants: [lostUpdate, never, other] });
  const changes = { failFast: false, strategy: strategyNamed("serial") };
  const { campaign } = await part(0, 1, changes, service);
  expect(campaign.counterexamples.map(({ violations }) => violations[0]?.name)).toEqual([
    "no-look",
  ]);
  const random = await part(0, 1, { failFast: false }, service);
  expect(
    random.campaign.counterexamples.map(({ violations }) => violations[0]?.name).sort(),
  ).toEqual(["no-look", "no-lost-update"]);
  expect(random.campaign.scenarios).toBe(SCENARIOS);
});
