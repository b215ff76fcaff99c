import { HarnessError } from "../core/error.ts";
import type { Campaign } from "./campaign.ts";
import { type ShardTotals, shardTotals, summaryOf } from "./campaign-totals.ts";

/** What a shard leaves to be merged: a plain value. */
export interface Part {
  readonly shard: Shard;
  /** How many scenarios there are in all shards; null for the model's pairs. */
  readonly scenarios: number | null;
  readonly campaign: Campaign;
  readonly total: ShardTotals;
}

/** What has to be the same in all parts of one campaign. */
const SAME = [
  "service",
  "mutant",
  "seed",
  "strategy",
  "settings",
  "control",
  "clients",
  "hashes",
  "routines",
] as const;

/**
 * The campaign of which these are the shards. It is what one run would have been; only that time
 * passed for all of them at once. A shard that is missing makes it unknown.
 *
 * @throws HarnessError `USAGE` for parts of different campaigns, and for a shard that is there twice
 */
export function merged(parts: readonly Part[]): Campaign {
  const inOrder = parts.toSorted((a, b) => a.shard.index - b.shard.index);
  const [first] = inOrder;
  if (first === undefined) {
    throw new HarnessError("USAGE", "there is nothing to merge: name the folders of the shards");
  }
  for (const part of inOrder) compatible(first, part);
  const numbers = inOrder.map(({ shard }) => shard.index);
  const twice = numbers.find((number, at) => numbers[at - 1] === number);
  if (twice !== undefined) {
    throw new HarnessError("USAGE", `shard ${twice + 1} is there twice: name each folder once`);
  }
  const campaigns = inOrder.map(({ campaign }) => campaign);
  const total = inOrder.map((part) => part.total).reduce(shardTotals);
  const elapsedMs = Math.max(...campaigns.map((campaign) => campaign.elapsedMs));
  const missing = [...Array(first.shard.of).keys()].filter((at) => !numbers.includes(at));
  const reasons = [
    ...missing.map((at) => `shard ${at + 1} of ${first.shard.of} is missing`),
    ...inOrder.flatMap(({ shard, campaign: { verdict, reason } }) =>
      verdict === "unknown" ? [`shard ${shard.index + 1}: ${reason ?? "no verdict"}`] : [],
    ),
  ];
  const failed = campaigns.some(({ verdict }) => verdict === "fail");
  const patterns = first.campaign.patterns;
  return {
    ...first.campaign,
    ...summaryOf(total, first.campaign.rules, patterns),
    verdict: failed ? "fail" : reasons.length > 0 ? "unknown" : "pass",
    reason: failed || reasons.length === 0 ? null : reasons.join("; "),
    startedAt: campaigns.map(({ startedAt }) => startedAt).reduce((a, b) => (a < b ? a : b)),
    elapsedMs,
    executionsPerSecond: total.tally.executions / Math.max(elapsedMs / 1000, 0.001),
    regressions: first.campaign.regressions,
    counterexamples: firstOfEachRule(campaigns),
  };
}

function compatible(first: Part, part: Part): void {
  const other = SAME.find(
    (name) => JSON.stringify(first.campaign[name]) !== JSON.stringify(part.campaign[name]),
  );
  const what =
    other ??
    (rulesOf(part) !== rulesOf(first) ? "set of rules" : undefined) ??
    (part.scenarios !== first.scenarios ? "number of scenarios" : undefined) ??
    (part.shard.of !== first.shard.of ? "number of shards" : undefined);
  if (what === undefined) return;
  throw new HarnessError(
    "USAGE",
    `shard ${part.shard.index + 1} is of another campaign than shard ${first.shard.index + 1} ` +
      `(another ${what}): merge shards of one campaign, from the same sources`,
  );
}

/** Those that were added with `--invariant` are in no source. */
function rulesOf({ campaign }: Part): string {
  return JSON.stringify(campaign.rules.map(({ checker, name }) => [checker, name]));
}

/** Shards that end at their first violation each have one; one run would have had the first. */
function firstOfEachRule(campaigns: readonly Campaign[]): Campaign["counterexamples"] {
  const found = campaigns.flatMap(({ counterexamples }) => counterexamples);
  const rules = found.map(
    ({ violations: [violation] }) => `${violation?.checker}/${violation?.name}`,
  );
  return found.filter((_, at) => rules.indexOf(rules[at] ?? "") === at);
}

/** Every so many-th scenario of a campaign, from a first one on. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

export const WHOLE: Shard = { index: 0, of: 1 };
