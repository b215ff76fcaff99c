import { DynamicReduction } from "../scheduler/dynamic-reduction.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSearch } from "../scheduler/fault-search.ts";
import { Pct, pctBound } from "../scheduler/pct.ts";
import { ReducedSearch } from "../scheduler/reduced-search.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { PCT_DEPTH } from "../scheduler/strategies.ts";
import { sumCounts } from "./tally.ts";

type Searches = {
  readonly [bound: string]: { readonly scenarios: number; readonly schedules: number };
};

type Reduced = {
  readonly scenarios: number;
  readonly schedules: number;
  readonly pruned: number;
};

/** What the schedulers of a campaign, or of a part of one, covered. */
export interface Coverage {
  /**
   * Scenarios that were searched completely, by the bound on preemptions; `Infinity`: all
   * interleavings.
   */
  readonly searches: Searches;
  /** Whether those were searched in fair schedules alone, since a client polled. */
  readonly fair: boolean;
  /** Scenarios that were searched completely with reduction (see `DynamicReduction`). */
  readonly reduced: Reduced;
  /** The same as `searches` for visits to the service's pairs, by the bound of each visit. */
  readonly visits: Searches;
  /** Scenarios that were searched completely with a fault at each place (see `FaultSearch`). */
  readonly faults: { readonly scenarios: number; readonly injected: number };
  /** The most clients and the most steps among executions with random priorities. */
  readonly pct: { readonly clients: number; readonly steps: number };
}

export const NO_COVERAGE: Coverage = {
  searches: {},
  fair: false,
  reduced: { scenarios: 0, schedules: 0, pruned: 0 },
  visits: {},
  faults: { scenarios: 0, injected: 0 },
  pct: { clients: 0, steps: 0 },
};

/** Whether a search was completed, and the number of choices it skipped; null without reduction. */
export function completeness(scheduler: Scheduler): {
  readonly complete: boolean;
  readonly pruned: number | null;
  /** Whether it has ended as a sample: another search of the scenario would do the same. */
  readonly sampled?: true;
} {
  if (scheduler instanceof ReducedSearch) {
    const of = completeness(scheduler.decisive);
    return scheduler.endsAsSample && !of.complete ? { ...of, sampled: true } : of;
  }
  const pruned = scheduler instanceof DynamicReduction ? scheduler.pruned : null;
  const searches =
    scheduler instanceof DynamicReduction ||
    scheduler instanceof Exhaustive ||
    scheduler instanceof FaultSearch;
  const complete = searches && scheduler.complete;
  const diverged = divergenceOf(scheduler) !== undefined;
  return { complete, pruned, ...(diverged && !complete && { sampled: true }) };
}

/** Why a search ended before its end, in words; undefined if it did not. */
export function divergenceOf(scheduler: Scheduler): string | undefined {
  if (scheduler instanceof ReducedSearch) {
    return scheduler.decisive.complete ? undefined : scheduler.diverged;
  }
  if (scheduler instanceof FaultSearch) return divergenceOf(scheduler.search) ?? scheduler.diverged;
  const searches = scheduler instanceof DynamicReduction || scheduler instanceof Exhaustive;
  return searches ? scheduler.diverged : undefined;
}

/** What a scheduler covered, once it is done with its scenario. */
export function coverageOf(scheduler: Scheduler, clients: number): Coverage {
  if (scheduler instanceof Pct) {
    return { ...NO_COVERAGE, pct: { clients, steps: scheduler.boundedSteps } };
  }
  if (scheduler instanceof ReducedSearch) return coverageOf(scheduler.decisive, clients);
  if (scheduler instanceof DynamicReduction) {
    const { complete, executions: schedules, pruned, hasYields: fair } = scheduler;
    const reduced = { scenarios: 1, schedules, pruned };
    return complete ? { ...NO_COVERAGE, reduced, fair } : NO_COVERAGE;
  }
  if (scheduler instanceof FaultSearch) {
    const { search, complete, injected } = scheduler;
    const faults = complete ? { scenarios: 1, injected } : NO_COVERAGE.faults;
    return { ...coverageOf(search, clients), faults };
  }
  if (!(scheduler instanceof Exhaustive)) return NO_COVERAGE;
  const { complete, completeUpTo, explored } = scheduler;
  const searches: [number, Searches[string]][] = [];
  let schedules = 0;
  for (let bound = 0; bound <= completeUpTo && bound < explored.length; bound++) {
    schedules += explored[bound] ?? 0;
    searches.push([bound, { scenarios: 1, schedules }]);
  }
  if (complete && completeUpTo === Number.POSITIVE_INFINITY) {
    searches.push([completeUpTo, { scenarios: 1, schedules }]);
  }
  const { hasYields: fair } = scheduler;
  return { ...NO_COVERAGE, searches: Object.fromEntries(searches), fair };
}

/** What a visit to a pair covered. A pair is visited again for each further preemption. */
export function visitCoverage(scheduler: Scheduler): Coverage {
  if (!(scheduler instanceof Exhaustive)) return NO_COVERAGE;
  const { bound, completeUpTo, explored } = scheduler;
  if (completeUpTo < bound) return NO_COVERAGE;
  const schedules = explored.reduce((total, count) => total + count, 0);
  return { ...NO_COVERAGE, visits: { [bound]: { scenarios: 1, schedules } } };
}

export function sumCoverage(a: Coverage, b: Coverage): Coverage {
  return {
    searches: sumCounts(a.searches, b.searches),
    fair: a.fair || b.fair,
    reduced: sumCounts(a.reduced, b.reduced),
    visits: sumCounts(a.visits, b.visits),
    faults: sumCounts(a.faults, b.faults),
    pct: {
      clients: Math.max(a.pct.clients, b.pct.clients),
      steps: Math.max(a.pct.steps, b.pct.steps),
    },
  };
}

/** Sentences for the reader of a report. */
export function coverageSentences(coverage: Coverage): readonly string[] {
  const { searches, fair, reduced, visits, faults, pct } = coverage;
  return [
    ...searchSentences(visits, "pair of operations"),
    ...searchSentences(searches, "scenario", fair),
    ...(reduced.scenarios > 0 ? [reducedSentence(reduced, fair)] : []),
    ...(faults.injected > 0 ? [faultsSentence(faults)] : []),
    ...(pct.steps > 0 ? [pctSentence(pct)] : []),
  ];
}

function faultsSentence({ scenarios, injected }: Coverage["faults"]): string {
  return (
    `Each of ${injected.toLocaleString("en")} possible faults of ${counted(scenarios)} was injected, one in ` +
    "each execution; after it the execution kept to the order of one interleaving without faults."
  );
}

function pctSentence({ clients, steps }: Coverage["pct"]): string {
  const bound = pctBound(clients, steps, PCT_DEPTH);
  return (
    "Each execution with random priorities that had no more steps than were expected hits a given bug of " +
    `depth ${PCT_DEPTH} with a probability of at least ${bound.toPrecision(2)} (1 / (n · k^${PCT_DEPTH - 1}), ` +
    `for n = ${clients} clients and k = ${steps} steps at the most).`
  );
}

function searchSentences(searches: Searches, what: string, fair = false): readonly string[] {
  return (
    Object.entries(searches)
      .sort(([a], [b]) => Number(a) - Number(b))
      // What was searched within a larger bound as well is said once.
      .filter(([, { scenarios }], at, all) => scenarios > (all[at + 1]?.[1].scenarios ?? 0))
      .map(([bound, covered]) => searchSentence(Number(bound), covered, what, fair))
  );
}

function searchSentence(
  bound: number,
  { scenarios, schedules }: { readonly scenarios: number; readonly schedules: number },
  scenario: string,
  fair: boolean,
): string {
  const interleavings = fair ? "fair interleavings" : "interleavings";
  const what =
    bound === 0
      ? "orders of whole operations"
      : bound === Number.POSITIVE_INFINITY
        ? `${interleavings}, without a bound,`
        : `${interleavings} with at most ${bound} preemption${bound === 1 ? "" : "s"}`;
  return `All ${schedules.toLocaleString("en")} ${what} of ${counted(scenarios, scenario)} were executed.`;
}

function reducedSentence({ scenarios, schedules, pruned }: Reduced, fair: boolean): string {
  return (
    `All ${fair ? "fair " : ""}interleavings, without a bound, of ${counted(scenarios)} were covered: ` +
    `${schedules.toLocaleString("en")} were executed; ${pruned.toLocaleString("en")} choices were ` +
    "skipped, since they lead to equivalent interleavings (steps that commute)."
  );
}

function counted(scenarios: number, one = "scenario"): string {
  const [noun = one, ...rest] = one.split(" ");
  const plural = [scenarios === 1 ? noun : `${noun}s`, ...rest].join(" ");
  return `${scenarios.toLocaleString("en")} ${plural}`;
}
