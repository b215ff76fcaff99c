import { createHash } from "node:crypto";
import type { Checkers } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import { type Fault, isFault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { forwarded } from "../scheduler/forwarded.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { ScenarioPlan, Strategy } from "../scheduler/strategies.ts";
import type { Bounds, Pair, Service } from "../service/service.ts";
import {
  type Coverage,
  completeness,
  coverageOf,
  divergenceOf,
  NO_COVERAGE,
  visitCoverage,
} from "./coverage.ts";
import { DistinctOutcomes } from "./distinct-outcomes.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type GeneratedInput, generator, type ShrinkTree } from "./generate.ts";
import { interruptionsOf } from "./interruptions.ts";
import { type PairVisit, ScenarioOrder } from "./scenario-order.ts";
import {
  EMPTY_TALLY,
  keyOf,
  sumCounts,
  type Tally,
  tallyOfExecution,
  tallyOfPair,
  tallyOfScenario,
} from "./tally.ts";
import { noSamples, type Samples, samplesOf } from "./ungated-samples.ts";

/** How the scenarios of a campaign are chosen, and how each is explored. */
export interface ScenarioOptions {
  readonly seed: number;
  /** The number of clients in generated scenarios. */
  readonly bounds: Bounds;
  /** Explores the service's pairs of operations instead of generated scenarios. */
  readonly pairs: boolean;
  /** The number of generated scenarios, over all shards. Default: as many as the other limits allow. */
  readonly scenarios?: number | undefined;
  readonly strategy: Strategy;
  /** Whether to end at the first violation (see `CampaignOptions`). Default: true. */
  readonly failFast?: boolean | undefined;
}

/** The limits of exploring one scenario. */
export interface ExplorationBudget {
  /** The part of the campaign's budget that is used by now, from 0 to 1. */
  readonly used: () => number;
  /** The most executions. */
  readonly executions: number;
  /** How long executions may begin, in ms, from the first one on; Infinity: no limit of its own. */
  readonly timeMs: number;
  /** Whether there is time for one more. */
  readonly more: () => boolean;
  /** Called after each execution, with the number of them that broke a rule. */
  readonly onExecution: (violations: number) => void;
}

/** An execution that broke a rule. */
export interface FailingExecution<State extends Json = Json, Op extends Operation = Operation> {
  readonly execution: Execution<State, Op>;
  readonly violations: readonly Violation[];
  /** Its number among the executions of its scenario, from 1. Default: it is the last. */
  readonly number?: number;
  /**
   * Where operations were interrupted, in this one and in the later ones with the same finding (see
   * `interruptionsOf`). Default: not known.
   */
  readonly interruptions?: readonly string[];
  /** The name of the part of statements, without a gate, in which clients ran freely. Default: none did. */
  readonly sampled?: string;
  /** Whether its scenario is a pair of operations, and not generated. Default: false. */
  readonly ofPair?: boolean;
}

/**
 * The result of exploring one scenario: a plain value. It ends at the first violation, except that where the
 * campaign goes on, two searches do so too: that of a service's only scenario, since it would find the same if
 * it began anew, and that of a pair of operations, which may have several races.
 */
export interface ScenarioResult<State extends Json = Json, Op extends Operation = Operation> {
  readonly tally: Tally;
  readonly coverage: Coverage;
  /** One for each execution, in order (see `fingerprintOf`). */
  readonly fingerprints: readonly string[];
  /** SHA-256 over every scenario, schedule, trace and violation, in order. */
  readonly digest: string;
  /** Whether every schedule of the strategy, or an equivalent one, was executed. */
  readonly complete: boolean;
  /** Whether the search has ended without that, and would end so again. Default: false. */
  readonly sampled?: true;
  /** After the complete search of a service's only scenario: what was sampled. Default: nothing. */
  readonly samples?: Samples;
  /** The number of choices that reduction skipped; null without reduction. */
  readonly pruned: number | null;
  /**
   * For a pair: the number of executions that differ in a response or in the final state, other than by values
   * that differ in each execution.
   */
  readonly outcomes: number;
  readonly failing: FailingExecution<State, Op> | undefined;
  /** The first failing execution of each further finding, where the search went on. Default: none. */
  readonly alsoFailing?: readonly FailingExecution<State, Op>[];
  /** Why something could not be checked, the first time. */
  readonly undecided: string | undefined;
  /** Why the search ended before its end: executions of the same steps differed. Default: it did not. */
  readonly diverged?: string;
  /** The error of the harness that ended the exploration. */
  readonly error: HarnessError | undefined;
}

/** Explores scenarios of a campaign by their numbers: in this process or in another one. */
export interface Explorer<State extends Json, Op extends Operation> {
  explore(index: number, budget: ExplorationBudget): Promise<ScenarioResult<State, Op>>;
}

/** How long an execution may go on after the time is up, in ms. Twice the longest one so far, if that is more. */
const GRACE_MS = 2_000;
const CHECK_INTERVAL_MS = 100;

/** Explores on an executor of this process. */
export class ScenarioExplorer<State extends Json, Op extends Operation>
  implements Explorer<State, Op>
{
  readonly pairs: readonly Pair<State, Op>[];
  readonly order: ScenarioOrder<State, Op>;
  readonly #input: (index: number) => GeneratedInput<State, Op>;
  readonly #executor: Executor<State, Op>;
  readonly #service: Service<State, Op>;
  readonly #checkers: Checkers<State, Op>;
  readonly #strategy: Strategy;
  readonly #goesOn: (ofPair: boolean) => boolean;
  readonly #seed: number;
  /** The time of the longest execution, in ms. */
  #longestMs = 0;

  constructor(
    executor: Executor<State, Op>,
    service: Service<State, Op>,
    checkers: Checkers<State, Op>,
    { seed, bounds, pairs, scenarios, strategy, failFast }: ScenarioOptions,
  ) {
    this.pairs = pairs ? pairsOf(service) : [];
    const visited = pairs || service.single ? [] : (service.pairs?.() ?? []);
    const { pairPlans = [] } = strategy;
    this.order = new ScenarioOrder(visited, pairPlans.length, scenarios);
    this.#input = generator(service, bounds, seed);
    this.#executor = executor;
    // The shares of patterns are a property of the generator.
    this.#service = pairs ? { ...service, patterns: [] } : service;
    this.#checkers = checkers;
    this.#strategy = strategy;
    this.#seed = seed;
    this.#goesOn = (ofPair) =>
      failFast === false && (service.single === true || (ofPair && service.byOperations === true));
  }

  /** The scenario of that number as it was generated; undefined for a pair of operations. */
  tree(index: number): ShrinkTree<Scenario<State, Op>> | undefined {
    const { visit, generated } = this.order.at(index);
    return visit !== undefined || this.pairs.length > 0 ? undefined : this.#input(generated).tree;
  }

  async explore(index: number, budget: ExplorationBudget): Promise<ScenarioResult<State, Op>> {
    const { visit, generated } = this.order.at(index);
    const { scenario, scheduleSeed } = visit
      ? { scenario: visit.pair.scenario, scheduleSeed: 0 }
      : { ...this.#input(generated), ...this.pairs[index] };
    const {
      executions,
      scheduler,
      share = 1,
    } = visit
      ? this.#visitPlan(visit, budget.used())
      : this.#strategy.explore(scheduleSeed, budget.used(), this.#timesExplored(generated));
    const began = performance.now();
    const more = () =>
      budget.more() &&
      (share === 1 || budget.used() < share) &&
      performance.now() - began < budget.timeMs;
    const most = Math.min(executions, budget.executions);
    const stopLimiting = this.#limitExecutions(budget.more);
    const digest = createHash("sha256");
    const outcomes = new DistinctOutcomes();
    const ofPair = visit !== undefined || this.pairs.length > 0;
    const fingerprints: string[] = [];
    let tally = EMPTY_TALLY;
    /** By the rule that each breaks first, and by what it is about; in answers alone, by the place too. */
    const failing = new Map<string, FailingExecution<State, Op>>();
    let undecided: string | undefined;
    let samples: Samples | undefined;
    let error: HarnessError | undefined;
    const execute = async (chosenBy: Scheduler, sampled?: string): Promise<void> => {
      const places = new Set<Fault>();
      const start = performance.now();
      const execution = await this.#executor.execute(
        scenario,
        notingPlaces(chosenBy, this.#strategy.faults, places),
      );
      this.#longestMs = Math.max(this.#longestMs, performance.now() - start);
      fingerprints.push(fingerprintOf(execution));
      if (this.pairs.length > 0) outcomes.add(execution);
      let compared = 0;
      const result = await this.#checkers.check(execution, (...given) => {
        compared++;
        return this.#executor.execute(...given);
      });
      const { violations } = result;
      // A scenario counts once it was executed.
      const before = tally === EMPTY_TALLY ? this.#tallyOf(scenario, visit) : tally;
      tally = sumCounts(before, tallyOfExecution(execution, result, compared, places));
      const { schedule, trace } = execution;
      digest.update(JSON.stringify([scenario, schedule.entries, trace, violations]));
      undecided ??= result.undecided;
      const [first] = violations;
      if (first !== undefined) {
        const interruptions = interruptionsOf(trace);
        // What shows in answers alone may be another race at each place.
        const place = first.about?.length === 0 ? interruptions : null;
        const finding = JSON.stringify([keyOf(first), first.about, place]);
        const earlier = failing.get(finding) ?? {
          ...{ execution, violations, number: tally.executions, ofPair },
          ...(sampled !== undefined && { sampled }),
        };
        const all = new Set([...(earlier.interruptions ?? []), ...interruptions]);
        failing.set(finding, { ...earlier, interruptions: [...all] });
      }
      budget.onExecution(tally.violations);
    };
    const ended = () => failing.size > 0 && !this.#goesOn(ofPair);
    const { discoveries } = this.#executor;
    let told = discoveries.revision;
    // Executions that the scheduler did not choose, such as those of checkers, discover something too.
    const tell = () => {
      if (discoveries.revision !== told) scheduler.footprintsGrew?.(true);
      told = discoveries.revision;
    };
    try {
      this.#executor.takeUngatedStates();
      discoveries.forget();
      for (let left = most; left > 0 && more() && !ended(); left--) {
        tell();
        if (!scheduler.begin(scenario)) break;
        await execute(scheduler);
      }
      tell();
      const states = this.#executor.takeUngatedStates();
      if (this.#service.single && completeness(scheduler).complete) {
        samples = noSamples(this.#executor);
        for (const { part, scheduler: free } of samplesOf(states, this.#seed)) {
          if (ended() || !budget.more() || tally.executions >= budget.executions) break;
          free.begin();
          await execute(free, part);
          samples = sumCounts(samples, { [part]: 1 });
        }
      }
    } catch (cause) {
      if (!(cause instanceof HarnessError)) throw cause;
      error = cause;
    } finally {
      stopLimiting();
    }
    // After an error the scheduler has seen an incomplete execution: its claims do not hold.
    const covered =
      error === undefined
        ? {
            coverage:
              visit === undefined
                ? coverageOf(scheduler, scenario.clients.length)
                : visitCoverage(scheduler),
            ...completeness(scheduler),
          }
        : { coverage: NO_COVERAGE, complete: false, pruned: null };
    const [firstFailing, ...alsoFailing] = failing.values();
    const diverged = error === undefined ? divergenceOf(scheduler) : undefined;
    return {
      tally,
      ...covered,
      ...(samples !== undefined && { samples }),
      fingerprints,
      digest: digest.digest("hex"),
      outcomes: outcomes.count,
      failing: firstFailing,
      ...(alsoFailing.length > 0 && { alsoFailing }),
      undecided,
      ...(diverged !== undefined && { diverged }),
      error,
    };
  }

  /** Ends an execution that goes on long after there is no more time. */
  #limitExecutions(more: () => boolean): () => void {
    let over: number | undefined;
    const checking = setInterval(() => {
      if (more()) return;
      over ??= performance.now();
      if (performance.now() - over < Math.max(GRACE_MS, 2 * this.#longestMs)) return;
      const message = "the time was up, and the execution under way did not end";
      this.#executor.giveUp(new HarnessError("STEP_TIMEOUT", message));
    }, CHECK_INTERVAL_MS);
    return () => clearInterval(checking);
  }

  /** See `Strategy.explore`: undefined unless the service has a single scenario. */
  #timesExplored(generated: number): "first" | "again" | undefined {
    if (!this.#service.single) return undefined;
    return generated === 0 ? "first" : "again";
  }

  #tallyOf(scenario: Scenario<State, Op>, visit: PairVisit | undefined): Tally {
    if (visit === undefined) return tallyOfScenario(scenario, this.#service.patterns);
    return visit.round === 0 ? tallyOfPair() : EMPTY_TALLY;
  }

  /** A visit is left out once pairs have used up their part of the budget. */
  #visitPlan({ round }: PairVisit, used: number): ScenarioPlan {
    const plan = this.#strategy.pairPlans?.[round]?.();
    if (plan === undefined) throw new Error(`pairs have no round ${round}`);
    return used < 1 ? plan : { ...plan, executions: 0 };
  }
}

/** The scheduler, which adds each of the kinds of faults that is possible at some step to `places`. */
function notingPlaces(
  scheduler: Scheduler,
  kinds: readonly Fault[] = [],
  places: Set<Fault>,
): Scheduler {
  if (kinds.length === 0) return scheduler;
  return {
    ...forwarded(scheduler),
    inject: (faults, enabled) => {
      for (const { action } of faults) {
        if (isFault(action) && kinds.includes(action)) places.add(action);
      }
      return scheduler.inject?.(faults, enabled);
    },
  };
}

/**
 * The service's pairs of operations.
 *
 * @throws HarnessError `USAGE` if it has none
 */
function pairsOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
): readonly Pair<State, Op>[] {
  const pairs = service.pairs?.() ?? [];
  if (pairs.length > 0) return pairs;
  throw new HarnessError("USAGE", `the service "${service.name}" has no pairs: leave out --pairs`);
}
