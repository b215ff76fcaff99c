import { createHash } from "node:crypto";
import type { Checkers } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, finalState, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import type { Strategy } from "../scheduler/strategies.ts";
import type { Bounds, Pair, Service } from "../service/service.ts";
import { type Coverage, completeness, coverageOf, NOTHING_COVERED } from "./coverage.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type GeneratedInput, generator, type ShrinkTree } from "./generate.ts";
import { EMPTY, sum, type Tally, tallyOfExecution, tallyOfScenario } from "./tally.ts";

/** What decides about each scenario of a campaign, and how it is explored. */
export interface ScenarioOptions {
  readonly seed: number;
  /** Of generated scenarios. */
  readonly bounds: Bounds;
  /** The model's pairs of operations, one after the other, instead of generated scenarios. */
  readonly pairs: boolean;
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
  readonly #input: (index: number) => GeneratedInput<State, Op>;
  readonly #executor: Executor<State, Op>;
  readonly #service: Service<State, Op>;
  readonly #checkers: Checkers<State, Op>;
  readonly #strategy: Strategy;

  constructor(
    executor: Executor<State, Op>,
    service: Service<State, Op>,
    checkers: Checkers<State, Op>,
    { seed, bounds, pairs, strategy }: ScenarioOptions,
  ) {
    this.pairs = pairs ? pairsOf(service) : [];
    this.#input = generator(service, bounds, seed);
    this.#executor = executor;
    // What the generator promises, it does not promise of scenarios that it did not make.
    this.#service = pairs ? { ...service, patterns: [] } : service;
    this.#checkers = checkers;
    this.#strategy = strategy;
  }

  /** The scenario of that number as it was generated; undefined for a pair of operations. */
  tree(index: number): ShrinkTree<Scenario<State, Op>> | undefined {
    return this.pairs.length > 0 ? undefined : this.#input(index).tree;
  }

  async explore(index: number, effort: ExplorationBudget): Promise<ScenarioResult<State, Op>> {
    const { scenario, scheduleSeed } = { ...this.#input(index), ...this.pairs[index] };
    const {
      executions,
      scheduler,
      share = 1,
    } = this.#strategy.explore(scheduleSeed, effort.used(), this.#service.single);
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
        const before = tally === EMPTY ? tallyOfScenario(scenario, this.#service.patterns) : tally;
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
        ? { coverage: coverageOf(scheduler, scenario.clients.length), ...completeness(scheduler) }
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

/** The service's pairs of operations. Throws HarnessError `USAGE` when it has none. */
function pairsOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
): readonly Pair<State, Op>[] {
  const pairs = service.pairs?.() ?? [];
  if (pairs.length > 0) return pairs;
  throw new HarnessError("USAGE", `the model "${service.name}" has no pairs: leave out --pairs`);
}

/** Equal for two executions with the same responses and the same final state. */
function outcomeOf(execution: Execution): string {
  const responses = calls(historyOf(execution.trace))
    .sort((a, b) => a.client - b.client || a.index - b.index)
    .map(({ response }) => response ?? null);
  return createHash("sha256")
    .update(JSON.stringify([responses, finalState(execution)]))
    .digest("base64");
}
