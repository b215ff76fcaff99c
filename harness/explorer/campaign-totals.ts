import { createHash } from "node:crypto";
import type { Rule } from "../checkers/checker.ts";
import type { Pattern } from "../service/service.ts";
import type { Campaign, PairSearch, RuleCount } from "./campaign.ts";
import { type Coverage, coverageSentences, sumCoverage } from "./coverage.ts";
import { type ScenarioFingerprints, saturation } from "./fingerprint.ts";
import { keyOf, sumCounts, type Tally } from "./tally.ts";

/** The counts of a campaign or of one shard: a plain value. Totals can be added up. */
export interface CampaignTotals {
  readonly tally: Tally;
  readonly coverage: Coverage;
  /** In hexadecimal (see `digestOf`). */
  readonly digest: string;
  readonly pairs: readonly PairSearch[];
  readonly fingerprints: readonly ScenarioFingerprints[];
  /** Why something could not be checked, the first time. */
  readonly undecided: string | null;
}

/**
 * A scenario's part of the campaign's digest. The parts are added up, modulo 2^256, so that shards
 * have the same digest as one campaign; each part depends on the scenario's number, so that the
 * order counts.
 *
 * AdHash, after Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (EUROCRYPT
 * 1997). It detects accidental differences, not deliberate collisions.
 */
export function digestOf(scenario: number, digest: string): bigint {
  const hash = createHash("sha256").update(`${scenario} ${digest}`).digest("hex");
  return BigInt(`0x${hash}`);
}

export function hexDigest(digest: bigint): string {
  return BigInt.asUintN(256, digest).toString(16).padStart(64, "0");
}

/** The totals of two shards. Each pair of operations was searched in one of them. */
export function sumTotals(a: CampaignTotals, b: CampaignTotals): CampaignTotals {
  return {
    tally: sumCounts(a.tally, b.tally),
    coverage: sumCoverage(a.coverage, b.coverage),
    digest: hexDigest(BigInt(`0x${a.digest}`) + BigInt(`0x${b.digest}`)),
    pairs: a.pairs.map((pair, at) => (pair.explored > 0 ? pair : (b.pairs[at] ?? pair))),
    fingerprints: [...a.fingerprints, ...b.fingerprints].sort(
      (one, other) => one.scenario - other.scenario,
    ),
    undecided: a.undecided ?? b.undecided,
  };
}

/** With fewer scenarios the bound is too weak to quote. */
const MIN_SCENARIOS = 100;

/**
 * The upper bound that a sample without a violation gives: the rule of three (Hanley and
 * Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?", JAMA 1983). It counts scenarios,
 * which are drawn independently of each other, unlike the executions of one scenario: a service with a
 * single scenario has no such bound.
 */
function sampleSentences(
  { scenarios, visitedPairs, violations }: Tally,
  complete: boolean,
): readonly string[] {
  const generated = scenarios - visitedPairs;
  if (complete || violations > 0 || generated < MIN_SCENARIOS) return [];
  const one = Math.floor(generated / 3).toLocaleString("en");
  return [
    `Fewer than one in ${one} generated scenarios breaks a rule when it is explored as these were, ` +
      "at a confidence of 95 % (rule of three).",
  ];
}

/**
 * Why faults that were asked for may be missing: they were possible, and were never injected;
 * undefined if there are none.
 */
export function missedFaults(
  { faults, faultPlaces }: Pick<Tally, "faults" | "faultPlaces">,
  asked: readonly string[],
): string | undefined {
  const missed = asked.filter((kind) => faultPlaces[kind] !== undefined && !faults[kind]);
  if (missed.length === 0) return undefined;
  return (
    `faults that were asked for were possible and never injected (${missed.join(", ")}): ` +
    "the budget was too small; give more --runs or --time"
  );
}

/** Names the faults that were asked for and had no place. */
function impossibleFaults({ faultPlaces }: Tally, asked: readonly string[]): readonly string[] {
  const impossible = asked.filter((kind) => faultPlaces[kind] === undefined);
  if (impossible.length === 0) return [];
  return [`No execution had a place for these faults: ${impossible.join(", ")}.`];
}

/** The counts of a rule; of one whose violations have names of their own, a row for each of these. */
function countsOf(
  { checker, name, description, prefix }: Rule,
  { executions, violated, unchecked }: Pick<Tally, "executions" | "violated" | "unchecked">,
): readonly RuleCount[] {
  const checked = executions - (unchecked[keyOf({ checker, name })] ?? 0);
  const start = prefix === undefined ? undefined : keyOf({ checker, name: prefix });
  const own = start === undefined ? [] : Object.keys(violated).filter((it) => it.startsWith(start));
  const names = own.length > 0 ? own.map((it) => it.slice(checker.length + 1)) : [name];
  return names.map((one) => ({
    ...{ checker, name: one, description, checked },
    ...(prefix !== undefined && { prefix }),
    violated: violated[keyOf({ checker, name: one })] ?? 0,
  }));
}

const NO_FAULTS = { faults: [], single: false };

/**
 * The part of a report that follows from the totals.
 *
 * @param faults those that were asked for
 * @param single whether the service has a single scenario
 */
export function summaryOf(
  { tally, coverage, digest, pairs, fingerprints }: CampaignTotals,
  rules: readonly Rule[],
  patterns: readonly Pick<Pattern, "name" | "description" | "threshold">[],
  { faults, single }: { readonly faults: readonly string[]; readonly single: boolean } = NO_FAULTS,
) {
  const { patterns: matches, violated, unchecked, undecided: _, statements: __, ...rest } = tally;
  const { visitedPairs, faultPlaces: ___, ...counts } = rest;
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
    rules: rules.flatMap((rule) => countsOf(rule, { executions, violated, unchecked })),
    pairs,
    coverage: [
      ...coverageSentences(coverage),
      ...impossibleFaults(tally, faults),
      ...sampleSentences(tally, pairs.length > 0 || single),
    ],
    saturation: saturation(fingerprints),
    digest,
  } satisfies Partial<Campaign>;
}
