import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Pct, pctBound } from "../scheduler/pct.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { PCT_DEPTH } from "../scheduler/strategies.ts";
import { sum } from "./tally.ts";

type Searches = {
  readonly [bound: string]: { readonly scenarios: number; readonly schedules: number };
};

/** What the schedulers of a campaign, or of a part of it, can say of what they covered. */
export interface Coverage {
  /**
   * Scenarios of which all schedules were executed, by the most preemptions that these have;
   * `Infinity` for all interleavings.
   */
  readonly searches: Searches;
  /** Of executions with random priorities: the most clients, and the most steps. */
  readonly pct: { readonly clients: number; readonly steps: number };
}

export const NOTHING_COVERED: Coverage = { searches: {}, pct: { clients: 0, steps: 0 } };

/** What a scheduler covered that is done with its scenario. */
export function coverageOf(scheduler: Scheduler, clients: number): Coverage {
  if (scheduler instanceof Pct) {
    return { ...NOTHING_COVERED, pct: { clients, steps: scheduler.steps } };
  }
  if (!(scheduler instanceof Exhaustive)) return NOTHING_COVERED;
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
  return { ...NOTHING_COVERED, searches: Object.fromEntries(searches) };
}

export function together(a: Coverage, b: Coverage): Coverage {
  return {
    searches: sum(a.searches, b.searches),
    pct: {
      clients: Math.max(a.pct.clients, b.pct.clients),
      steps: Math.max(a.pct.steps, b.pct.steps),
    },
  };
}

/** Sentences for the reader of a report. */
export function coverageSentences({ searches, pct }: Coverage): readonly string[] {
  const byBound = Object.entries(searches).sort(([a], [b]) => Number(a) - Number(b));
  return [
    ...byBound.map(([bound, covered]) => searchSentence(Number(bound), covered)),
    ...(pct.steps > 0 ? [pctSentence(pct)] : []),
  ];
}

function pctSentence({ clients, steps }: Coverage["pct"]): string {
  const bound = pctBound(clients, steps, PCT_DEPTH);
  return (
    `Each execution with random priorities hits a given bug of depth ${PCT_DEPTH} with a ` +
    `probability of at least ${bound.toPrecision(2)} (1 / (n · k^${PCT_DEPTH - 1}), ` +
    `for n = ${clients} clients and k = ${steps} steps at the most).`
  );
}

function searchSentence(
  bound: number,
  { scenarios, schedules }: { readonly scenarios: number; readonly schedules: number },
): string {
  const what =
    bound === 0
      ? "orders of whole commands"
      : bound === Number.POSITIVE_INFINITY
        ? "interleavings, without a bound,"
        : `interleavings with at most ${bound} preemption${bound === 1 ? "" : "s"}`;
  const of = `${scenarios.toLocaleString("en")} scenario${scenarios === 1 ? "" : "s"}`;
  return `All ${schedules.toLocaleString("en")} ${what} of ${of} were executed.`;
}
