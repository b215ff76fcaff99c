import fc from "fast-check";
import { generatedTree, numberedRandom, type ShrinkTree } from "../../harness/explorer/generate.ts";
import type { Server } from "../../harness/postgres/provider.ts";
import { contendingCases } from "./contending-cases.ts";
import { broadCases } from "./generated-cases.ts";
import { compareOutcomes, type InclusionOptions, type InclusionResult } from "./inclusion.ts";
import { type InclusionCase, knownGapOf } from "./inclusion-case.ts";
import { tellingCases } from "./telling-cases.ts";

export interface PropertyOptions extends InclusionOptions {
  /** How long further cases may begin, in ms. */
  readonly timeMs: number;
  /** The number of the first case. */
  readonly first: number;
  /** The most cases, over all shards. */
  readonly cases: number;
  /** Which of the cases: those whose number has the remainder `index`. */
  readonly shard: { readonly index: number; readonly of: number };
  /** Whether to end at the first hole. */
  readonly failFast: boolean;
  /** The longest time for shrinking one hole, in ms. */
  readonly shrinkMs: number;
}

/** What a run of the property has executed and found. Totals of shards add up. */
export interface InclusionTotals {
  readonly scenarios: number;
  readonly executions: number;
  readonly runs: number;
  /** Outcomes that were looked for, in the scenarios that could be compared. */
  readonly outcomes: number;
  readonly included: number;
  readonly holes: number;
  /** Holes of scenarios with a known gap, by its name. */
  readonly gaps: { readonly [name: string]: number };
  /** Scenarios whose search did not end, while one without reduction has found every outcome. */
  readonly possible: number;
  /** Scenarios whose uncontrolled runs all had one outcome: they are not searched. */
  readonly alike: number;
  /** Scenarios of which neither search has shown anything: they are not compared. */
  readonly open: number;
  readonly failed: number;
  /** When the first hole was found, in ms from the beginning. */
  readonly firstHoleMs?: number;
}

export const NO_TOTALS: InclusionTotals = {
  ...{ scenarios: 0, executions: 0, runs: 0, outcomes: 0, included: 0, holes: 0 },
  ...{ gaps: {}, possible: 0, alike: 0, open: 0, failed: 0 },
};

/** A scenario that lacks an outcome, or that could not be executed. */
export interface InclusionFailure {
  readonly number: number;
  readonly result: InclusionResult;
  /** The known gap that explains it. */
  readonly gap?: string | undefined;
  readonly shrunk: InclusionCase;
  readonly shrunkResult: InclusionResult;
}

/** Most clients contend for few rows: of those that do not, two thirds have one outcome. */
const inclusionCases = fc.oneof(
  { weight: 4, arbitrary: contendingCases },
  { weight: 3, arbitrary: tellingCases },
  { weight: 1, arbitrary: broadCases },
);

/** The case of that number, with what it shrinks to. */
export function caseNumbered(seed: number, number: number): ShrinkTree<InclusionCase> {
  return generatedTree(inclusionCases, numberedRandom(seed, number));
}

/** Compares the outcomes of generated cases until the time is up. */
export async function checkInclusion(
  server: Server,
  options: PropertyOptions,
  onCase: (number: number, result: InclusionResult) => void,
  onFailure: (failure: InclusionFailure) => void,
): Promise<InclusionTotals> {
  const began = performance.now();
  const { seed, shard, first, cases, timeMs } = options;
  const end = first + cases;
  let totals = NO_TOTALS;
  let shrinkingMs = 0;
  const elapsed = () => performance.now() - began - shrinkingMs;
  for (let number = first + shard.index; number < end && elapsed() < timeMs; number += shard.of) {
    const tree = caseNumbered(seed, number);
    const result = await compareOutcomes(server, tree.value, options);
    const gap = result.verdict === "hole" ? knownGapOf(tree.value) : undefined;
    totals = sumTotals(totals, totalsOf(result, gap, elapsed()));
    onCase(number, result);
    if (result.verdict !== "hole" && result.verdict !== "failed") continue;
    const before = performance.now();
    const shrinkMs = gap === undefined ? options.shrinkMs : 0;
    const shrunk = await shrink(server, tree, result, { ...options, shrinkMs });
    shrinkingMs += performance.now() - before;
    onFailure({ number, result, gap, ...shrunk });
    if (options.failFast && totals.holes > 0) break;
  }
  return totals;
}

function totalsOf(
  { verdict, executions, runs, outcomes }: InclusionResult,
  gap: string | undefined,
  ms: number,
): InclusionTotals {
  const isHole = verdict === "hole" && gap === undefined;
  return {
    ...{ scenarios: 1, executions, runs },
    outcomes: ["open", "alike", "failed"].includes(verdict) ? 0 : outcomes,
    included: verdict === "included" ? 1 : 0,
    holes: isHole ? 1 : 0,
    gaps: gap === undefined ? {} : { [gap]: 1 },
    possible: verdict === "possible" ? 1 : 0,
    alike: verdict === "alike" ? 1 : 0,
    open: verdict === "open" ? 1 : 0,
    failed: verdict === "failed" ? 1 : 0,
    ...(isHole && { firstHoleMs: Math.round(ms) }),
  };
}

export function sumTotals(a: InclusionTotals, b: InclusionTotals): InclusionTotals {
  const names = new Set([...Object.keys(a.gaps), ...Object.keys(b.gaps)]);
  const first = Math.min(
    a.firstHoleMs ?? Number.POSITIVE_INFINITY,
    b.firstHoleMs ?? Number.POSITIVE_INFINITY,
  );
  return {
    scenarios: a.scenarios + b.scenarios,
    executions: a.executions + b.executions,
    runs: a.runs + b.runs,
    outcomes: a.outcomes + b.outcomes,
    included: a.included + b.included,
    holes: a.holes + b.holes,
    gaps: Object.fromEntries(
      [...names].map((name) => [name, (a.gaps[name] ?? 0) + (b.gaps[name] ?? 0)]),
    ),
    possible: a.possible + b.possible,
    alike: a.alike + b.alike,
    open: a.open + b.open,
    failed: a.failed + b.failed,
    ...(first < Number.POSITIVE_INFINITY && { firstHoleMs: first }),
  };
}

/**
 * Follows the shrink tree as long as a simpler case has the same verdict: any outcome that is missed will
 * do. Many generated values give the same case, which is compared once.
 */
async function shrink(
  server: Server,
  tree: ShrinkTree<InclusionCase>,
  result: InclusionResult,
  options: PropertyOptions,
): Promise<{ shrunk: InclusionCase; shrunkResult: InclusionResult }> {
  const until = performance.now() + options.shrinkMs;
  const seen = new Set([JSON.stringify(tree.value)]);
  let [best, shrunkResult] = [tree, result];
  const next = async (): Promise<boolean> => {
    for (const child of best.children()) {
      if (performance.now() > until) return false;
      const text = JSON.stringify(child.value);
      if (seen.has(text) || knownGapOf(child.value) !== undefined) continue;
      seen.add(text);
      const again = await compareOutcomes(server, child.value, options);
      if (again.verdict !== result.verdict || again.lacking !== result.lacking) continue;
      [best, shrunkResult] = [child, again];
      return true;
    }
    return false;
  };
  while (await next());
  return { shrunk: best.value, shrunkResult };
}
