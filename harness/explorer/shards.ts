import { HarnessError } from "../core/error.ts";
import type { Campaign } from "./campaign.ts";
import { type CampaignTotals, missedFaults, summaryOf, sumTotals } from "./campaign-totals.ts";

/** The result of one shard, to be merged with those of the others: a plain value. */
export interface ShardPart {
  readonly shard: Shard;
  /** The number of scenarios in all shards; null for the service's pairs of operations. */
  readonly scenarios: number | null;
  readonly campaign: Campaign;
  readonly total: CampaignTotals;
}

/** The members that have to be equal in all shards of one campaign. */
const COMMON_MEMBERS = [
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
 * Merges shards into their campaign: the result of one run without shards, except that its time is
 * that of the slowest shard. The verdict is `unknown` if a shard is missing.
 *
 * @throws HarnessError `USAGE` for shards of different campaigns, and for a shard that is given twice
 */
export function mergeShards(parts: readonly ShardPart[]): Campaign {
  const inOrder = parts.toSorted((a, b) => a.shard.index - b.shard.index);
  const [first] = inOrder;
  if (first === undefined) {
    throw new HarnessError("USAGE", "there is nothing to merge: name the folders of the shards");
  }
  for (const part of inOrder) compatible(first, part);
  const numbers = inOrder.map(({ shard }) => shard.index);
  const twice = numbers.find((number, at) => numbers[at - 1] === number);
  if (twice !== undefined) {
    throw new HarnessError("USAGE", `shard ${twice + 1} is given twice: name each folder once`);
  }
  const campaigns = inOrder.map(({ campaign }) => campaign);
  const total = inOrder.map((part) => part.total).reduce(sumTotals);
  const elapsedMs = Math.max(...campaigns.map((campaign) => campaign.elapsedMs));
  const missing = [...Array(first.shard.of).keys()].filter((at) => !numbers.includes(at));
  const reasons = [
    ...missing.map((at) => `shard ${at + 1} of ${first.shard.of} is missing`),
    ...inOrder.flatMap(({ shard, campaign: { verdict, reason } }) =>
      verdict === "unknown" ? [`shard ${shard.index + 1}: ${reason ?? "no verdict"}`] : [],
    ),
  ];
  const { faults } = first.campaign.settings;
  const missed = missing.length > 0 ? undefined : missedFaults(total.tally, faults);
  if (missed !== undefined) reasons.push(missed);
  // A rule with a prefix has a row for each violated name, or one row of its own.
  const rules = first.campaign.rules.filter(
    ({ checker, prefix }, at, all) =>
      prefix === undefined ||
      all.findIndex((other) => other.checker === checker && other.prefix === prefix) === at,
  );
  const failed = campaigns.some(({ verdict }) => verdict === "fail");
  const patterns = first.campaign.patterns;
  return {
    ...first.campaign,
    ...summaryOf(total, rules, patterns, { faults, single: false }),
    verdict: failed ? "fail" : reasons.length > 0 ? "unknown" : "pass",
    reason: failed || reasons.length === 0 ? null : reasons.join("; "),
    startedAt: campaigns.map(({ startedAt }) => startedAt).reduce((a, b) => (a < b ? a : b)),
    elapsedMs,
    executionsPerSecond: total.tally.executions / Math.max(elapsedMs / 1000, 0.001),
    regressions: first.campaign.regressions,
    counterexamples: firstOfEachRule(campaigns),
  };
}

function compatible(first: ShardPart, part: ShardPart): void {
  const other = COMMON_MEMBERS.find(
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

/** The hashes of sources do not cover the rules of `--invariant`. */
function rulesOf({ campaign }: ShardPart): string {
  return JSON.stringify(campaign.rules.map(({ checker, name }) => [checker, name]));
}

/** Each shard ends at its own first violation; the campaign keeps the first one of each rule. */
function firstOfEachRule(campaigns: readonly Campaign[]): Campaign["counterexamples"] {
  const found = campaigns.flatMap(({ counterexamples }) => counterexamples);
  const rules = found.map(
    ({ violations: [violation] }) => `${violation?.checker}/${violation?.name}`,
  );
  return found.filter((_, at) => rules.indexOf(rules[at] ?? "") === at);
}

/** A part of a campaign: every `of`-th scenario, starting with number `index`. */
export interface Shard {
  /** From 0 to `of` - 1. */
  readonly index: number;
  readonly of: number;
}

export const WHOLE_CAMPAIGN: Shard = { index: 0, of: 1 };
