import type { Execution } from "../core/execution.ts";
import { endsProcess, type Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { generator } from "../explorer/generate.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSweep } from "../scheduler/fault-sweep.ts";
import { Pct } from "../scheduler/pct.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { RandomFaults } from "../scheduler/random-faults.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { PCT_DEPTH } from "../scheduler/strategies.ts";
import type { Bounds, Pair, Service } from "../service/service.ts";
import { alone, type Ways } from "./solo-runs.ts";

/** What to execute next; the scheduler has begun. */
interface Next<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly scheduler: Scheduler;
}

/** Is given each execution when the next one is asked for. */
type Order<State extends Json, Op extends Operation, Return = void> = Generator<
  Next<State, Op>,
  Return,
  Execution<State, Op>
>;

export interface OrderOptions {
  readonly seed: number;
  /** Of generated scenarios. */
  readonly bounds: Bounds;
  /** What strikes; with faults, every place at which one can strike takes the place of preemptions. */
  readonly faults: readonly Fault[];
  /** Of the service without the bug, and its own, still empty: pairs that it concerns come first. */
  readonly ways?: { readonly baseline: Ways; readonly own: Ways } | undefined;
}

/** How many walks come before PCT has its turns. */
const FIRST_WALKS = 200;

/** Of pairs. Most races need one; those that need more are as likely met in larger scenarios. */
const PREEMPTIONS = 1;

/** How often each pair that a bug concerns is walked through before it is searched. */
const PAIR_WALKS = 2;

/**
 * Where a bug is sought, without end. In turns: the model's pairs, those first that the bug concerns;
 * and random walks through generated scenarios.
 */
export function* huntingOrder<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  options: OrderOptions,
): Order<State, Op, never> {
  const random = generated(service, options);
  const inPairs = searches(service.pairs?.() ?? [], options);
  let next = inPairs.next();
  for (;;) {
    if (!next.done) next = inPairs.next(yield next.value);
    yield random.next().value;
  }
}

/** One execution of each generated scenario: by a walk, and then by PCT as often. */
function* generated<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  { seed, bounds, faults }: OrderOptions,
): Generator<Next<State, Op>, never> {
  const input = generator(service, bounds, seed);
  for (let index = 0; ; index++) {
    const { scenario, scheduleSeed } = input(index);
    const walks = index < FIRST_WALKS || index % 2 === 0;
    const plain = walks ? new RandomWalk(scheduleSeed) : new Pct(scheduleSeed, PCT_DEPTH);
    const scheduler = struck(plain, faults, scheduleSeed);
    if (scheduler.begin(scenario)) yield { scenario, scheduler };
  }
}

function struck(scheduler: Scheduler, faults: readonly Fault[], seed: number): Scheduler {
  return faults.length === 0 ? scheduler : new RandomFaults(scheduler, faults, seed);
}

/**
 * Random walks through the pairs that a bug concerns, which find most of what races. Then each client
 * of the pairs alone: that finds what needs nobody else, and shows whom else the bug concerns. Then
 * all pairs systematically, those first that it concerns. A bug that takes the end of a process shows
 * nothing of itself before, and each start of one takes its time: then it is the pairs at once, and a
 * operation and its repetition first.
 */
function* searches<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
  { seed, faults, ways }: OrderOptions,
): Order<State, Op> {
  if (faults.some(endsProcess)) {
    yield* sweeps(repetitionsFirst(varied(pairs).flat()), faults);
    return;
  }
  const known = concernedBy(pairs, ways);
  yield* walks([...known.both, ...firstOf(known.one)], faults, seed);
  for (const scenario of alone(pairs)) {
    const scheduler = new Exhaustive(0);
    if (!scheduler.begin()) continue;
    const execution = yield { scenario, scheduler };
    ways?.own.add(execution);
  }
  const { both, one } = concernedBy(pairs, ways);
  if (both.length > known.both.length) yield* walks([...both, ...firstOf(one)], faults, seed);
  const concerned = [...both, ...one];
  const others = pairs.filter((pair) => !concerned.includes(pair));
  for (const these of [...varied(concerned), ...varied(others)]) {
    yield* faults.length === 0 ? deepening(these) : sweeps(these, faults);
  }
}

/** Pairs in which it concerns both clients, and those in which it does one; as far as is known now. */
function concernedBy<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
  ways: OrderOptions["ways"],
): { readonly both: readonly Pair<State, Op>[]; readonly one: readonly Pair<State, Op>[] } {
  const counted = pairs.map(
    (pair) => [pair, ways?.baseline.differing(pair.scenario, ways.own) ?? 0] as const,
  );
  const of = (clients: number) =>
    counted.flatMap(([pair, differing]) => (differing === clients ? [pair] : []));
  return { both: of(2), one: of(1) };
}

/** Each once, and then again. */
function* walks<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
  faults: readonly Fault[],
  seed: number,
): Order<State, Op> {
  const all = pairs.map(({ scenario }, at) => ({
    scenario,
    scheduler: struck(new RandomWalk(seed + at), faults, seed + at),
  }));
  for (let round = 0; round < PAIR_WALKS; round++) {
    for (const walk of all) if (walk.scheduler.begin(walk.scenario)) yield walk;
  }
}

/** What a fault left undone shows when the same is asked for again. */
function repetitionsFirst<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
): readonly Pair<State, Op>[] {
  const isRepetition = ({ scenario }: Pair<State, Op>) =>
    new Set(scenario.clients.flat().map(({ name }) => name)).size === 1;
  return pairs.toSorted((a, b) => Number(isRepetition(b)) - Number(isRepetition(a)));
}

function* sweeps<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
  faults: readonly Fault[],
): Order<State, Op> {
  for (const { scenario } of pairs) {
    for (const fault of faults) {
      const scheduler = new FaultSweep(fault);
      while (scheduler.begin()) yield { scenario, scheduler };
    }
  }
}

/**
 * The orders of whole operations of all of them; then each with one preemption; up to the bound. One of
 * each in turns: what fails as a rule fails in several of its orders.
 */
function* deepening<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
): Order<State, Op> {
  const searches = pairs.map(({ scenario }) => ({ scenario, search: new Exhaustive(PREEMPTIONS) }));
  for (let bound = 0; bound <= PREEMPTIONS; bound++) {
    for (let left = searches; left.length > 0; ) {
      left = left.filter(({ search }) => search.completeUpTo < bound);
      for (const { scenario, search } of left) {
        if (search.begin()) yield { scenario, scheduler: search };
      }
    }
  }
}

function firstOf<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
): readonly Pair<State, Op>[] {
  return varied(pairs)[0] ?? [];
}

/** The first pair of each two operations, and then all others. */
function varied<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
): readonly (readonly Pair<State, Op>[])[] {
  const seen = new Set<string>();
  const first = pairs.filter(({ scenario }) => {
    const key = scenario.clients.flatMap((operations) => operations.map(({ name }) => name));
    const known = seen.has(key.sort().join());
    seen.add(key.join());
    return !known;
  });
  return [first, pairs.filter((pair) => !first.includes(pair))];
}
