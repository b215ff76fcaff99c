import type { Command } from "../core/command.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { generator } from "../explorer/generate.ts";
import type { Bounds, Pair, Subject } from "../explorer/subject.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSweep } from "../scheduler/fault-sweep.ts";
import { Faulty } from "../scheduler/faulty.ts";
import { Pct } from "../scheduler/pct.ts";
import { RandomWalk } from "../scheduler/random.ts";
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
  /** What strikes; with faults, every place at which one can strike takes the place of preemptions. */
  readonly faults: readonly Fault[];
}

/**
 * How many random walks come first. Where a bug shows in several scenarios, a dozen of walks find
 * it as a rule: they leave clients far more often than it would take.
 */
const FIRST_WALKS = 200;

/** Of pairs. Most races need one; those that need more are as likely met in larger scenarios. */
const PREEMPTIONS = 1;

/**
 * Where a bug is sought: in random walks through generated scenarios, which find most of them
 * soonest; then in the model's pairs, all of them up to a bound, which find what is rare; and then
 * in generated scenarios again, without end. Each is executed when the next one is asked for.
 */
export function* huntingOrder<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  { seed, bounds, faults }: OrderOptions,
): Generator<Next<State, C>, never> {
  const input = generator(subject, bounds, seed);
  const striking = (scheduler: Scheduler, seed: number) =>
    faults.length === 0 ? scheduler : new Faulty(scheduler, faults, seed);
  function* once(index: number, random: (seed: number) => Scheduler): Generator<Next<State, C>> {
    const { scenario, scheduleSeed } = input(index);
    const scheduler = striking(random(scheduleSeed), scheduleSeed);
    if (scheduler.begin(scenario)) yield { scenario, scheduler };
  }
  const walk = (seed: number) => new RandomWalk(seed);
  for (let index = 0; index < FIRST_WALKS; index++) yield* once(index, walk);
  for (const pairs of varied(subject.pairs?.() ?? [])) {
    yield* faults.length === 0 ? deepening(pairs) : sweeps(pairs, faults);
  }
  for (let index = FIRST_WALKS; ; index++) {
    yield* once(index, walk);
    yield* once(index, (seed) => new Pct(seed, PCT_DEPTH));
  }
}

function* sweeps<State extends Json, C extends Command>(
  pairs: readonly Pair<State, C>[],
  faults: readonly Fault[],
): Generator<Next<State, C>> {
  for (const { scenario } of pairs) {
    for (const fault of faults) {
      const scheduler = new FaultSweep(fault);
      while (scheduler.begin()) yield { scenario, scheduler };
    }
  }
}

/** The orders of whole commands of all of them; then each with one preemption; up to the bound. */
function* deepening<State extends Json, C extends Command>(
  pairs: readonly Pair<State, C>[],
): Generator<Next<State, C>> {
  const searches = pairs.map(({ scenario }) => ({ scenario, search: new Exhaustive(PREEMPTIONS) }));
  for (let bound = 0; bound <= PREEMPTIONS; bound++) {
    for (const { scenario, search } of searches) {
      while (search.completeUpTo < bound && search.begin()) yield { scenario, scheduler: search };
    }
  }
}

/** The first pair of each two commands, and then all others. */
function varied<State extends Json, C extends Command>(
  pairs: readonly Pair<State, C>[],
): readonly (readonly Pair<State, C>[])[] {
  const seen = new Set<string>();
  const first = pairs.filter(({ scenario }) => {
    const key = scenario.clients.flatMap((commands) => commands.map(({ name }) => name));
    const known = seen.has(key.sort().join());
    seen.add(key.join());
    return !known;
  });
  return [first, pairs.filter((pair) => !first.includes(pair))];
}
