import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Pair } from "../service/service.ts";

/** A visit to a pair: one exploration of its schedules. */
export interface PairVisit<State extends Json = Json, Op extends Operation = Operation> {
  readonly pair: Pair<State, Op>;
  /** How often the pair was visited before: which scheduler of the strategy the visit has. */
  readonly round: number;
}

/** What a scenario's number stands for: a visit to a pair, or a generated scenario by its number. */
export type ScenarioSlot<State extends Json = Json, Op extends Operation = Operation> =
  | { readonly visit: PairVisit<State, Op>; readonly generated?: undefined }
  | { readonly visit?: undefined; readonly generated: number };

/** Visits between two generated scenarios: sampling gets its first results before the last pair. */
const VISITS_PER_GENERATED = 5;

/**
 * The most of a campaign's budget that visits to pairs use up. All pairs of a service with thirteen
 * operations need 1,900 of the 3,000 executions that a campaign has by default.
 */
const PAIR_SHARE = 2 / 3;

/**
 * A visit takes at most one part in this many of what visits to pairs may use, where there are that many
 * pairs: a small budget explores several pairs.
 */
const VISIT_PARTS = 8;

/** How much of a campaign was executed, and in what. */
export interface Spent {
  /** The part of the campaign's budget that is used up, from 0 to 1. */
  readonly used: number;
  readonly executions: number;
  /** Those among `executions` that were visits to pairs. */
  readonly pairExecutions: number;
}

/**
 * In which order a campaign explores the pairs of a service and generated scenarios, by their
 * numbers. The strategy says what each round of visits explores: `auto` begins with the orders of whole
 * operations of all pairs, and continues with one preemption in all pairs. So every seed finds what a
 * pair can show. Generated scenarios take turns with visits, and follow the last one.
 *
 * The order depends on nothing else, so that workers and shards agree on it without communication.
 */
export class ScenarioOrder<State extends Json, Op extends Operation> {
  readonly #pairs: readonly Pair<State, Op>[];
  readonly #visits: number;
  readonly #scenarios: number | undefined;

  /**
   * @param rounds how often each pair is visited
   * @param scenarios the number of generated scenarios, and the most visits; undefined: no limit
   */
  constructor(pairs: readonly Pair<State, Op>[], rounds: number, scenarios: number | undefined) {
    this.#pairs = variedFirst(pairs);
    const visits = pairs.length * rounds;
    this.#visits = Math.min(visits, scenarios ?? visits);
    this.#scenarios = scenarios;
  }

  /** How many numbers there are. */
  get end(): number {
    return this.#visits + (this.#scenarios ?? Number.POSITIVE_INFINITY);
  }

  at(index: number): ScenarioSlot<State, Op> {
    const visit = this.#visitsBefore(index);
    if (this.#visitsBefore(index + 1) === visit) return { generated: index - visit };
    const pair = this.#pairs[visit % this.#pairs.length];
    if (pair === undefined) throw new Error("there are visits, and no pairs");
    return { visit: { pair, round: Math.floor(visit / this.#pairs.length) } };
  }

  #visitsBefore(index: number): number {
    const round = VISITS_PER_GENERATED + 1;
    const visits =
      Math.floor(index / round) * VISITS_PER_GENERATED +
      Math.min(index % round, VISITS_PER_GENERATED);
    return Math.min(visits, this.#visits);
  }

  /**
   * The most executions of a scenario in a campaign with a limit of `runs`: of a visit, a fair part of what
   * pairs may use, and no more than is left of that; of a generated scenario, Infinity.
   */
  most(index: number, runs: number, pairExecutions: number): number {
    if (this.at(index).visit === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(this.fairPart(index, runs), Math.ceil(runs * PAIR_SHARE) - pairExecutions);
  }

  /** The fair part alone, of a budget in executions or in ms. */
  fairPart(index: number, budget: number): number {
    if (this.at(index).visit === undefined) return Number.POSITIVE_INFINITY;
    const parts = Math.min(this.#pairs.length, VISIT_PARTS);
    return Math.ceil(Math.ceil(budget * PAIR_SHARE) / parts);
  }

  /**
   * The part that is used up, from 0 to 1: of what pairs may use, for a visit; of what they leave
   * to sampling, for a generated scenario. So a strategy's phases have the same shares with pairs
   * as without.
   */
  used(index: number, { used, executions, pairExecutions }: Spent): number {
    const inPairs = executions === 0 ? 0 : (used * pairExecutions) / executions;
    if (this.at(index).visit !== undefined) return inPairs / PAIR_SHARE;
    const forPairs = this.#visitsBefore(index) < this.#visits ? PAIR_SHARE : inPairs;
    return forPairs < 1 ? (used - inPairs) / (1 - forPairs) : 1;
  }
}

/**
 * Pairs of an operation with itself come first: races and faults show when it is repeated. Then the
 * first pair of each two operations, then all others.
 */
function variedFirst<P extends Pair>(pairs: readonly P[]): readonly P[] {
  const seen = new Set<string>();
  const ranked = pairs.map((pair) => {
    const names = pair.scenario.clients.flat().map(({ name }) => name);
    const key = JSON.stringify(names.sort());
    const isFirst = !seen.has(key);
    seen.add(key);
    return { pair, rank: new Set(names).size === 1 ? 0 : isFirst ? 1 : 2 };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ pair }) => pair);
}
