import { createHash } from "node:crypto";
import type { Rule } from "../checkers/checker.ts";
import type { Pattern } from "../service/service.ts";
import type { Campaign, PairSearch } from "./campaign-report.ts";
import { type Coverage, coverageSentences, together } from "./coverage.ts";
import { type Seen, saturation } from "./fingerprint.ts";
import { keyOf, sum, type Tally } from "./tally.ts";

/** What a campaign counted, or a shard of one: a plain value, and totals can be added up. */
export interface ShardTotals {
  readonly tally: Tally;
  readonly coverage: Coverage;
  /** See `digestOf`; in hexadecimal. */
  readonly digest: string;
  readonly pairs: readonly PairSearch[];
  /** By scenario. */
  readonly seen: readonly Seen[];
  /** Why something could not be checked, where that was so first. */
  readonly undecided: string | null;
}

/**
 * A scenario's part of the campaign's digest. The parts are added up, modulo 2^256, so that shards
 * come to the same as one run; each holds its scenario's number, so that the order counts.
 *
 * Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (EUROCRYPT 1997): AdHash. It
 * tells campaigns apart that differ by chance; it is no protection from those who want to deceive.
 */
export function digestOf(scenario: number, digest: string): bigint {
  const hash = createHash("sha256").update(`${scenario} ${digest}`).digest("hex");
  return BigInt(`0x${hash}`);
}

export function hex(digest: bigint): string {
  return BigInt.asUintN(256, digest).toString(16).padStart(64, "0");
}

/** Both together. Each pair was searched by one of them. */
export function shardTotals(a: ShardTotals, b: ShardTotals): ShardTotals {
  return {
    tally: sum(a.tally, b.tally),
    coverage: together(a.coverage, b.coverage),
    digest: hex(BigInt(`0x${a.digest}`) + BigInt(`0x${b.digest}`)),
    pairs: a.pairs.map((pair, at) => (pair.explored > 0 ? pair : (b.pairs[at] ?? pair))),
    seen: [...a.seen, ...b.seen].sort((one, other) => one.scenario - other.scenario),
    undecided: a.undecided ?? b.undecided,
  };
}

/** Fewer say nothing worth quoting. */
const FEWEST = 100;

/**
 * What a sample without a finding allows to say: the rule of three (Hanley and Lippman-Hand, "If
 * Nothing Goes Wrong, Is Everything All Right?", JAMA 1983). Only scenarios are drawn independently
 * of each other, so they are what counts; the executions of one are not.
 */
function sampleSentences(
  { scenarios, visitedPairs, violations }: Tally,
  complete: boolean,
): readonly string[] {
  const generated = scenarios - visitedPairs;
  if (complete || violations > 0 || generated < FEWEST) return [];
  const one = Math.floor(generated / 3).toLocaleString("en");
  return [
    `Of scenarios as they are generated, fewer than one in ${one} breaks a rule when it is explored ` +
      "as these were, at a confidence of 95 % (rule of three).",
  ];
}

/** What a report says of it. */
export function summaryOf(
  { tally, coverage, digest, pairs, seen }: ShardTotals,
  rules: readonly Rule[],
  patterns: readonly Pick<Pattern, "name" | "description" | "threshold">[],
) {
  const { patterns: matches, violated, unchecked, undecided: _, statements: __, ...rest } = tally;
  const { visitedPairs, ...counts } = rest;
  const { executions } = counts;
  const scenarios = counts.scenarios - visitedPairs;
  return {
    ...counts,
    patterns: (pairs.length > 0 ? [] : patterns).map(({ name, description, threshold }) => {
      const matching = matches[name] ?? 0;
      const share = scenarios === 0 ? 0 : matching / scenarios;
      const deviation = Math.sqrt((threshold * (1 - threshold)) / Math.max(1, scenarios));
      const missed = share < threshold - 3 * deviation;
      return { name, description, scenarios: matching, share, threshold, missed };
    }),
    rules: rules.map(({ checker, name, description }) => ({
      ...{ checker, name, description },
      checked: executions - (unchecked[keyOf({ checker, name })] ?? 0),
      violated: violated[keyOf({ checker, name })] ?? 0,
    })),
    pairs,
    coverage: [...coverageSentences(coverage), ...sampleSentences(tally, pairs.length > 0)],
    saturation: saturation(seen),
    digest,
  } satisfies Partial<Campaign>;
}
