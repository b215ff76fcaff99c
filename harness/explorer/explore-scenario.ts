import { createHash } from "node:crypto";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import type { ScenarioPlan, Strategy } from "../scheduler/strategies.ts";
import type { Bounds, Pair, Service } from "../service/service.ts";
import type { Checkers } from "./checkers.ts";
import {
  type Coverage,
  completeness,
  coverageOf,
  NOTHING_COVERED,
  visitCoverage,
} from "./coverage.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type Generated, generator } from "./generate.ts";
import { outcomeOf, pairsOf } from "./pair-search.ts";
import { type PairVisit, ScenarioOrder, VISIT_EXECUTIONS } from "./scenario-order.ts";
import { EMPTY, sum, type Tally, tallyOfExecution, tallyOfPair, tallyOfScenario } from "./tally.ts";

/** What decides about each scenario of a campaign, and how it is explored. */
export interface ScenarioOptions {
  readonly seed: number;
  /** Of generated scenarios. */
  readonly bounds: Bounds;
  /** The model's pairs of operations, one after the other, instead of generated scenarios. */
  readonly pairs: boolean;
  /** How many generated scenarios, in all shards; undefined: as many as the other limits allow. */
  readonly scenarios?: number | undefined;
  /** By its name and what it is. */
  readonly strategy: Strategy;
}

/** How far to explore one scenario. */
export interface ExplorationBudget {
  /** The part of the campaign's budget that is used up by now, from 0 to 1. */
  readonly used: () => number;
  /** The most executions. */
  readonly executions: number;
  /** Whether there is time for one more. */
  readonly more: () => boolean;
  /** Called after each, with how many of them broke a rule. */
  readonly onExecution: (violations: number) => void;
}

/** An execution that broke a rule. */
export interface FailingExecution<State extends Json = Json, Op extends Operation = Operation> {
  readonly execution: Execution<State, Op>;
  readonly violations: readonly Violation[];
}

/** What exploring one scenario gave, up to its first violation: a plain value. */
export interface ScenarioResult<State extends Json = Json, Op extends Operation = Operation> {
  readonly tally: Tally;
  readonly coverage: Coverage;
  /** See `fingerprintOf`; one for each execution, in order. */
  readonly fingerprints: readonly string[];
  /** SHA-256 over every scenario, schedule, trace and violation, in order. */
  readonly digest: string;
  /** Whether every schedule was executed that the strategy has, or one that comes to the same. */
  readonly complete: boolean;
  /** How many choices were left out by reduction; null without it. */
  readonly pruned: number | null;
  /** Of pairs: how many executions differ in a response or in the final state. */
  readonly outcomes: number;
  readonly failing: FailingExecution<State, Op> | undefined;
  /** Why something could not be checked, where that was so first. */
  readonly undecided: string | undefined;
  /** What went wrong with the harness, and ended it. */
  readonly error: HarnessError | undefined;
}

/** Explores the scenarios of a campaign by their numbers, each by itself: here, or elsewhere. */
export interface Explorer<State extends Json, Op extends Operation> {
  explore(index: number, effort: ExplorationBudget): Promise<ScenarioResult<State, Op>>;
}

/** Explores on an executor of this process. */
export class ScenarioExplorer<State extends Json, Op extends Operation>
  implements Explorer<State, Op>
{
  readonly pairs: readonly Pair<State, Op>[];
  readonly order: ScenarioOrder<State, Op>;
  readonly #input: (index: number) => Generated<State, Op>;
  readonly #executor: Executor<State, Op>;
  readonly #service: Service<State, Op>;
  readonly #checkers: Checkers<State, Op>;
  readonly #strategy: Strategy;

  constructor(
    executor: Executor<State, Op>,
    service: Service<State, Op>,
    checkers: Checkers<State, Op>,
    { seed, bounds, pairs, scenarios, strategy }: ScenarioOptions,
  ) {
    this.pairs = pairs ? pairsOf(service) : [];
    const visited = pairs || service.single ? [] : (service.pairs?.() ?? []);
    const { pairSchedulers = [] } = strategy;
    this.order = new ScenarioOrder(visited, pairSchedulers.length, scenarios);
    this.#input = generator(service, bounds, seed);
    this.#executor = executor;
    // What the generator promises, it does not promise of scenarios that it did not make.
    this.#service = pairs ? { ...service, patterns: [] } : service;
    this.#checkers = checkers;
    this.#strategy = strategy;
  }

  async explore(index: number, effort: ExplorationBudget): Promise<ScenarioResult<State, Op>> {
    const { visit, generated } = this.order.at(index);
    const { scenario, scheduleSeed } = visit
      ? { scenario: visit.pair.scenario, scheduleSeed: 0 }
      : { ...this.#input(generated), ...this.pairs[index] };
    const {
      executions,
      scheduler,
      share = 1,
    } = visit
      ? this.#visitPlan(visit, effort.used())
      : this.#strategy.explore(scheduleSeed, effort.used(), this.#service.single);
    const more = () => effort.more() && (share === 1 || effort.used() < share);
    const most = Math.min(executions, effort.executions);
    const digest = createHash("sha256");
    const outcomes = new Set<string>();
    const fingerprints: string[] = [];
    let tally = EMPTY;
    let failing: FailingExecution<State, Op> | undefined;
    let undecided: string | undefined;
    let error: HarnessError | undefined;
    try {
      for (let left = most; left > 0 && failing === undefined && more(); left--) {
        if (!scheduler.begin(scenario)) break;
        const execution = await this.#executor.execute(scenario, scheduler);
        fingerprints.push(fingerprintOf(execution));
        if (this.pairs.length > 0) outcomes.add(outcomeOf(execution));
        let compared = 0;
        const result = await this.#checkers.check(execution, (...given) => {
          compared++;
          return this.#executor.execute(...given);
        });
        const { violations } = result;
        // A scenario of which nothing was executed was not tried.
        const before = tally === EMPTY ? this.#tallyOf(scenario, visit) : tally;
        tally = sum(before, tallyOfExecution(execution, result, compared));
        const { schedule, trace } = execution;
        digest.update(JSON.stringify([scenario, schedule.entries, trace, violations]));
        undecided ??= result.undecided;
        if (violations.length > 0) failing = { execution, violations };
        effort.onExecution(tally.violations);
      }
    } catch (cause) {
      if (!(cause instanceof HarnessError)) throw cause;
      error = cause;
    }
    // A scheduler takes the execution that could not be finished for one that ended early.
    const covered =
      error === undefined
        ? {
            coverage:
              visit === undefined
                ? coverageOf(scheduler, scenario.clients.length)
                : visitCoverage(scheduler),
            ...completeness(scheduler),
          }
        : { coverage: NOTHING_COVERED, complete: false, pruned: null };
    return {
      tally,
      ...covered,
      fingerprints,
      digest: digest.digest("hex"),
      outcomes: outcomes.size,
      failing,
      undecided,
      error,
    };
  }

  #tallyOf(scenario: Scenario<State, Op>, visit: PairVisit | undefined): Tally {
    if (visit === undefined) return tallyOfScenario(scenario, this.#service.patterns);
    return visit.round === 0 ? tallyOfPair() : { ...EMPTY };
  }

  /** A visit is left out once pairs have used up their part of the budget. */
  #visitPlan({ round }: PairVisit, used: number): ScenarioPlan {
    const scheduler = this.#strategy.pairSchedulers?.[round]?.();
    if (scheduler === undefined) throw new Error(`pairs have no round ${round}`);
    return { executions: used < 1 ? VISIT_EXECUTIONS : 0, scheduler };
  }
}

/** The one execution of a violation that is known already. */
export function knownAlready<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
): ScenarioResult<State, Op> {
  const { execution, violations } = failing;
  const { scenario, schedule, trace } = execution;
  const seen = JSON.stringify([scenario, schedule.entries, trace, violations]);
  return {
    tally: sum(tallyOfScenario(scenario, []), tallyOfExecution(execution, { violations }, 0)),
    coverage: NOTHING_COVERED,
    fingerprints: [fingerprintOf(execution)],
    digest: createHash("sha256").update(seen).digest("hex"),
    complete: false,
    pruned: null,
    outcomes: 0,
    failing,
    undecided: undefined,
    error: undefined,
  };
}
