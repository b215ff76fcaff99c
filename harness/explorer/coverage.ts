import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Pct, pctBound } from "../scheduler/pct.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { PCT_DEPTH } from "../scheduler/strategies.ts";

interface Covered {
  scenarios: number;
  schedules: number;
}

/** What the schedulers of a campaign can say of what they covered. */
export class Coverage {
  /** Scenarios of which all schedules were executed, by the most preemptions that these have. */
  readonly #searches = new Map<number, Covered>();
  #pctSteps = 0;
  #pctClients = 0;

  explored(scheduler: Scheduler, clients: number): void {
    if (scheduler instanceof Exhaustive) this.#searched(scheduler);
    else if (scheduler instanceof Pct) {
      this.#pctSteps = Math.max(this.#pctSteps, scheduler.steps);
      this.#pctClients = Math.max(this.#pctClients, clients);
    }
  }

  #searched({ complete, completeUpTo, explored }: Exhaustive): void {
    let schedules = 0;
    for (let bound = 0; bound <= completeUpTo && bound < explored.length; bound++) {
      schedules += explored[bound] ?? 0;
      this.#cover(bound, schedules);
    }
    if (complete && completeUpTo === Number.POSITIVE_INFINITY) {
      this.#cover(Number.POSITIVE_INFINITY, schedules);
    }
  }

  #cover(bound: number, schedules: number): void {
    const covered = this.#searches.get(bound) ?? { scenarios: 0, schedules: 0 };
    this.#searches.set(bound, covered);
    covered.scenarios++;
    covered.schedules += schedules;
  }

  /** Sentences for the reader of a report. */
  sentences(): readonly string[] {
    const searches = [...this.#searches].sort(([a], [b]) => a - b);
    return [
      ...searches.map(([bound, covered]) => searchSentence(bound, covered)),
      ...(this.#pctSteps > 0 ? [this.#pctSentence()] : []),
    ];
  }

  #pctSentence(): string {
    const bound = pctBound(this.#pctClients, this.#pctSteps, PCT_DEPTH);
    return (
      `Each execution with random priorities hits a given bug of depth ${PCT_DEPTH} with a ` +
      `probability of at least ${bound.toPrecision(2)} (1 / (n · k^${PCT_DEPTH - 1}), ` +
      `for n = ${this.#pctClients} clients and k = ${this.#pctSteps} steps at the most).`
    );
  }
}

function searchSentence(bound: number, { scenarios, schedules }: Covered): string {
  const what =
    bound === 0
      ? "orders of whole commands"
      : bound === Number.POSITIVE_INFINITY
        ? "interleavings, without a bound,"
        : `interleavings with at most ${bound} preemption${bound === 1 ? "" : "s"}`;
  const of = `${scenarios.toLocaleString("en")} scenario${scenarios === 1 ? "" : "s"}`;
  return `All ${schedules.toLocaleString("en")} ${what} of ${of} were executed.`;
}
