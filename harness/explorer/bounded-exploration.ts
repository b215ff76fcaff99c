import type { RuleName } from "../checkers/checker.ts";
import { determinismChecker } from "../checkers/determinism.ts";
import { type CheckerName, Checkers, checkersOf, restrictedTo } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Executor } from "../execution/executor.ts";
import { effortUsed } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { type AcceptedViolation, withoutAccepted } from "./accepted.ts";
import type { RegressionResult } from "./campaign.ts";
import { missedFaults } from "./campaign-totals.ts";
import { bypassedGate } from "./control-sentences.ts";
import { Exploration } from "./exploration.ts";
import {
  type FailingExecution,
  ScenarioExplorer,
  type ScenarioOptions,
  type ScenarioResult,
} from "./explore-scenario.ts";
import type { NumberedFailure } from "./failures.ts";
import type { ShrinkTree } from "./generate.ts";
import {
  exploreInParallel,
  type OrderedCampaign,
  type OtherExplorers,
  type ScenarioBudget,
} from "./parallel-exploration.ts";
import { type Shard, WHOLE_CAMPAIGN } from "./shards.ts";

export interface CampaignOptions extends ScenarioOptions {
  /** The most executions; undefined: no limit. */
  readonly runs: number | undefined;
  /** The most scenarios, over all shards; undefined: no limit. */
  readonly scenarios?: number | undefined;
  /** Which of the scenarios to explore. Default: all. */
  readonly shard?: Shard | undefined;
  /** Whether to end at the first violation, or to look for one of each rule. Default: true. */
  readonly failFast?: boolean;
  /** The most time for exploring, in ms, shrinking excluded; undefined: no limit. */
  readonly timeMs: number | undefined;
  /** Whether to execute each schedule twice and to compare the executions. */
  readonly checkDeterminism: boolean;
  readonly mutant: AppliedMutant | undefined;
  readonly control: Control;
  /** The checkers to apply; violations of the first come first. */
  readonly checkers: readonly CheckerName[];
  /** Known violations that do not count. Default: none. */
  readonly accepted?: readonly AcceptedViolation[] | undefined;
  /** Further sentences of the report. Default: none. */
  readonly notes?: readonly string[] | undefined;
  /** Only violations of these rules count. Default: those of all rules. */
  readonly rules?: readonly RuleName[] | undefined;
  /** The most time for shrinking one counterexample, in ms. */
  readonly shrinkTimeMs: number;
  /** The file with the standard error of a service that Heddle starts. Default: none. */
  readonly serviceLog?: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** The results of the regressions, for the report. Default: none. */
  readonly regressions?: readonly RegressionResult[];
  /** The regressions that fail: they are shrunk and reported, besides what is explored. Default: none. */
  readonly failingRegressions?: readonly FailingRegression[];
  /** The names of pairs that are not explored, since their operations touch nothing in common. Default: none. */
  readonly independent?: readonly string[];
  /** Called with a counterexample as soon as it is found, before it is shrunk. */
  readonly onViolation?:
    | ((counterexample: Counterexample) => Promise<string | undefined>)
    | undefined;
  /**
   * Called with the shrunk counterexample and the result of `onViolation`; without one, if it has shrunk to
   * what an earlier counterexample shows.
   */
  readonly onShrunk?:
    | ((shrunk: Counterexample | undefined, file: string | undefined) => Promise<void>)
    | undefined;
}

/** The new execution of a stored regression, which violates its rule. */
export interface FailingRegression extends FailingExecution {
  readonly file: string;
}

/** Executions so far. */
export interface ExecutionCounts {
  readonly executions: number;
  readonly violations: number;
}

/** The progress of a campaign until now. */
export interface Progress extends ExecutionCounts {
  readonly phase: "exploring" | "shrinking";
  /** The time since exploring began, in ms. */
  readonly elapsedMs: number;
}

/** The checkers of a campaign; with `checkDeterminism`, that of determinism too. */
export function checkersFor<State extends Json, Op extends Operation>(
  { ordersWakes }: Pick<Executor<State, Op>, "ordersWakes">,
  service: Service<State, Op>,
  {
    checkers,
    rules,
    accepted = [],
    checkDeterminism,
  }: Pick<CampaignOptions, "checkers" | "rules" | "accepted" | "checkDeterminism">,
): Checkers<State, Op> {
  const determinism = checkDeterminism ? [determinismChecker<State, Op>(ordersWakes)] : [];
  const all = [...checkersOf(service, checkers), ...determinism];
  const restricted = rules === undefined ? all : restrictedTo(rules, all);
  return new Checkers(withoutAccepted(restricted, accepted));
}

/** Explores the scenarios of a campaign, within its limits. */
export class BoundedExploration<State extends Json, Op extends Operation>
  implements OrderedCampaign<State, Op>
{
  readonly checkers: Checkers<State, Op>;
  readonly exploration: Exploration<State, Op>;
  readonly #explorer: ScenarioExplorer<State, Op>;
  readonly #single: boolean;
  /** Executions of visits to pairs, among those that were added. */
  #pairExecutions = 0;
  readonly #options: CampaignOptions;
  readonly #began = performance.now();

  constructor(
    executor: Executor<State, Op>,
    service: Service<State, Op>,
    options: CampaignOptions,
  ) {
    this.checkers = checkersFor(executor, service, options);
    this.#explorer = new ScenarioExplorer(executor, service, this.checkers, options);
    this.exploration = new Exploration(this.#explorer.pairs, options.shard, service.byOperations);
    this.#single = service.single === true;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  explore(others: OtherExplorers<State, Op>): Promise<void> {
    return exploreInParallel(this, this.#explorer, others);
  }

  /** The scenario of a failing execution as it was generated; undefined if it was not. */
  treeOf({
    scenarioNumber,
  }: NumberedFailure<State, Op>): ShrinkTree<Scenario<State, Op>> | undefined {
    return this.#explorer.tree(scenarioNumber);
  }

  get next(): number {
    return this.exploration.next;
  }

  get step(): number {
    return this.#options.shard?.of ?? 1;
  }

  get end(): number {
    const { pairs, order } = this.#explorer;
    return pairs.length > 0 ? pairs.length : order.end;
  }

  /** Whether no further result counts, not even one without executions. */
  get ended(): boolean {
    if (this.left <= 0) return true;
    return this.endsAfter(this.exploration.failures.any, this.exploration.error);
  }

  endsAfter(failed: boolean, error: HarnessError | undefined): boolean {
    return error !== undefined || (failed && this.#options.failFast !== false);
  }

  more(): boolean {
    return !this.ended && !this.#nothingLeft() && this.left > 0 && this.#inTime();
  }

  budgetOf(index: number): ScenarioBudget {
    const { runs, scenarios, timeMs = Number.POSITIVE_INFINITY } = this.#options;
    const { order } = this.#explorer;
    const used = this.usedAfter(index, 0);
    if (runs !== undefined) {
      const most = order.most(index, runs, this.#pairExecutions);
      return { used, executions: Math.min(this.left, most), timeMs: Number.POSITIVE_INFINITY };
    }
    // Where the number of scenarios is limited, their results depend on no clock.
    const fair = scenarios === undefined ? order.fairPart(index, timeMs) : Number.POSITIVE_INFINITY;
    return { used, executions: this.left, timeMs: fair };
  }

  /** Without a limit of runs no scenario depends on the number of executions before it. */
  isUpToDate(
    index: number,
    budget: ScenarioBudget,
    { tally: { executions } }: ScenarioResult<State, Op>,
  ): boolean {
    if (this.#options.runs === undefined) return true;
    const now = this.budgetOf(index);
    if (executions > now.executions) return false;
    if (!this.#inTime()) return true;
    const cut = executions === budget.executions;
    const isSamePhase = this.#phase(index, budget.used) === this.#phase(index, now.used);
    return isSamePhase && (!cut || executions === now.executions);
  }

  /**
   * How a generated scenario is explored depends on the used part of the budget through its phase alone.
   * A visit depends on its number of executions only.
   */
  #phase(index: number, used: number): string | undefined {
    const isVisit = this.#explorer.order.at(index).visit !== undefined;
    return isVisit ? undefined : this.#options.strategy.phase?.(used);
  }

  add(explored: ScenarioResult<State, Op>): void {
    if (this.#explorer.order.at(this.next).visit !== undefined) {
      this.#pairExecutions += explored.tally.executions;
    }
    this.exploration.add(explored);
  }

  addBeyond(index: number, explored: ScenarioResult<State, Op>): void {
    // A campaign that has ended by itself does not depend on what was explored ahead.
    if (this.endsAfter(this.exploration.failures.any, this.exploration.error)) return;
    this.exploration.addBeyond(index, explored);
  }

  onExecution(unadded: ExecutionCounts): void {
    const { executions, violations } = this.exploration.tally;
    this.progress("exploring", {
      executions: executions + unadded.executions,
      violations: violations + unadded.violations,
    });
  }

  /** Whether the service's only scenario was searched to the end. */
  #nothingLeft(): boolean {
    return this.#single && this.exploration.searched;
  }

  /** The number of executions until the limit of runs. */
  get left(): number {
    return (this.#options.runs ?? Number.POSITIVE_INFINITY) - this.exploration.tally.executions;
  }

  /** The used part of the runs if they are limited, else of the scenarios, else of the time. */
  usedAfter(index: number, executions: number): number {
    const { runs, timeMs, scenarios } = this.#options;
    const { order } = this.#explorer;
    const { visit, generated } = order.at(index);
    const all = this.exploration.tally.executions + executions;
    const inPairs = this.#pairExecutions + (visit ? executions : 0);
    const spent = { executions: all, pairExecutions: inPairs };
    if (runs !== undefined) return order.used(index, { ...spent, used: all / runs });
    if (scenarios !== undefined) return visit ? 0 : effortUsed(generated / scenarios);
    return timeMs === undefined
      ? 0
      : order.used(index, { ...spent, used: this.elapsedMs / timeMs });
  }

  #inTime(): boolean {
    const { timeMs, signal } = this.#options;
    return !signal?.aborted && (timeMs === undefined || this.elapsedMs < timeMs);
  }

  /** Why the campaign is incomplete; undefined if it is complete. */
  unfinished(): string | undefined {
    const { runs, signal, scenarios, shard = WHOLE_CAMPAIGN } = this.#options;
    const { tally, pairs, undecided } = this.exploration;
    const { executions } = tally;
    const before =
      runs === undefined ? "" : ` before all ${runs.toLocaleString("en")} executions were made`;
    if (signal?.aborted) return `interrupted${before}`;
    if (this.exploration.error !== undefined) return this.exploration.error.message;
    const { index, of: shards } = shard;
    const ofShard = pairs.filter((_, at) => at % shards === index);
    const open = ofShard.filter(({ complete }) => !complete).length;
    if (open > 0) return `${open} of ${ofShard.length} pairs were not searched to the end`;
    if (this.exploration.next < this.end && scenarios !== undefined) {
      return "the time was up before all scenarios were explored";
    }
    if (!this.#nothingLeft() && pairs.length === 0 && runs !== undefined && executions < runs) {
      return `the time was up${before}`;
    }
    if (undecided !== undefined) {
      return `${tally.undecided} of ${executions} executions could not be checked: ${undecided}`;
    }
    if (executions === 0) return "the time was up before the first execution";
    // The faults of a shard are too few: what all of them missed is said when they are merged.
    const missed =
      shards > 1 ? undefined : missedFaults(tally, this.#options.strategy.faults ?? []);
    return bypassedGate({ single: this.#single }, tally) ?? missed;
  }

  progress(
    phase: Progress["phase"],
    { executions, violations }: ExecutionCounts = this.exploration.tally,
  ): void {
    this.#options.onProgress?.({ phase, executions, violations, elapsedMs: this.elapsedMs });
  }
}
