import type { Command } from "../core/command.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { generator } from "../explorer/generate.ts";
import type { Bounds, Subject } from "../explorer/subject.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Pct } from "../scheduler/pct.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { PCT_DEPTH } from "../scheduler/strategies.ts";

/** What to execute next; the scheduler has begun. */
interface Next<State extends Json, C extends Command> {
  readonly scenario: Scenario<State, C>;
  readonly scheduler: Scheduler;
}

export interface OrderOptions {
  readonly seed: number;
  /** Of generated scenarios. */
  readonly bounds: Bounds;
}

/** Of pairs. Most races need one; those that need more are as likely met in larger scenarios. */
const PREEMPTIONS = 1;

/** Executions of each generated scenario. */
const SCHEDULES = 4;

/**
 * Where bugs are sought, those first that take the least: the orders of whole commands of each of
 * the model's pairs; the pairs with one preemption; and generated
 * scenarios, without end. Each is executed when the next one is asked for.
 */
export function* smallestFirst<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  { seed, bounds }: OrderOptions,
): Generator<Next<State, C>, never> {
  const searches = (subject.pairs?.() ?? []).map(({ scenario }) => ({
    scenario,
    search: new Exhaustive(PREEMPTIONS),
  }));
  for (let bound = 0; searches.some(({ search }) => !search.complete); bound++) {
    for (const { scenario, search } of searches) {
      while (search.completeUpTo < bound && search.begin()) yield { scenario, scheduler: search };
    }
  }
  const input = generator(subject, bounds, seed);
  for (let index = 0; ; index++) {
    const { scenario, scheduleSeed } = input(index);
    const scheduler = new Pct(scheduleSeed, PCT_DEPTH);
    for (let left = SCHEDULES; left > 0 && scheduler.begin(scenario); left--) {
      yield { scenario, scheduler };
    }
  }
}
