import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import { effortUsed } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { bypassedGate } from "./bypassed-gate.ts";
import type { RegressionResult } from "./campaign-report.ts";
import { type CheckerName, Checkers, checkersOf, type RuleName, restrictedTo } from "./checkers.ts";
import { determinism } from "./determinism.ts";
import { Exploration } from "./exploration.ts";
import {
  type FailingExecution,
  ScenarioExplorer,
  type ScenarioOptions,
  type ScenarioResult,
} from "./explore-scenario.ts";
import {
  type AssumedBudget,
  exploreInParallel,
  type OrderedCampaign,
  type OtherExplorers,
} from "./parallel-exploration.ts";
import { type Shard, WHOLE } from "./shard.ts";

export interface CampaignOptions extends ScenarioOptions {
  /** How many executions; undefined: until the time is up. */
  readonly runs: number | undefined;
  /** Only these of them. */
  readonly shard?: Shard | undefined;
  /** Whether to end at the first violation; else each rule has its first one. By default it ends. */
  readonly failFast?: boolean;
  /** How long to explore, in ms, shrinking aside; undefined: until the runs are done. */
  readonly timeMs: number | undefined;
  /** Whether to execute each schedule twice, and to compare. */
  readonly checkDeterminism: boolean;
  readonly mutant: AppliedMutant | undefined;
  readonly control: Control;
  /** Those that checker; the violations of the first come first. */
  readonly checkers: readonly CheckerName[];
  /** Only violations of these rules count; undefined: those of all rules. */
  readonly rules?: readonly RuleName[] | undefined;
  /** How long shrinking may take, in ms. */
  readonly shrinkTimeMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** What became of the violations that were kept. */
  readonly regressions?: readonly RegressionResult[];
  /** A violation that is known already: then nothing is explored. */
  readonly known?: FailingExecution | undefined;
  /** Told of a violation before anything else is done with it. */
  readonly onViolation?: ((found: Counterexample) => Promise<string | undefined>) | undefined;
  /** Told of the same when it is shrunk, with what `onViolation` gave. */
  readonly onShrunk?:
    | ((found: Counterexample, given: string | undefined) => Promise<void>)
    | undefined;
}

interface Counted {
  readonly executions: number;
  readonly violations: number;
}

/** How far a campaign is. */
export interface Progress extends Counted {
  readonly stage: "exploring" | "shrinking";
  /** Since exploring began. */
  readonly elapsedMs: number;
}

/** The checkers of what is executed on an executor. */
export function checkersFor<State extends Json, Op extends Operation>(
  { ordersWakes }: Pick<Executor<State, Op>, "ordersWakes">,
  service: Service<State, Op>,
  {
    checkers,
    rules,
    checkDeterminism,
  }: Pick<CampaignOptions, "checkers" | "rules" | "checkDeterminism">,
): Checkers<State, Op> {
  const twice = checkDeterminism ? [determinism<State, Op>(ordersWakes)] : [];
  const all = [...checkersOf(service, checkers), ...twice];
  return new Checkers(rules === undefined ? all : restrictedTo(rules, all));
}

/** The exploring of a campaign, within its limits. */
export class CampaignRun<State extends Json, Op extends Operation>
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
    this.exploration = new Exploration(this.#explorer.pairs, options.shard);
    this.#single = service.single === true;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  explore(others: OtherExplorers<State, Op>): Promise<void> {
    return exploreInParallel(this, this.#explorer, others);
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

  get ended(): boolean {
    return this.ends(this.exploration.failing.length > 0, this.exploration.error);
  }

  ends(failed: boolean, error: HarnessError | undefined): boolean {
    return error !== undefined || (failed && this.#options.failFast !== false);
  }

  more(): boolean {
    return !this.ended && !this.#nothingLeft() && this.#left() > 0 && this.#inTime();
  }

  assumed(index: number): AssumedBudget {
    return { used: this.usedAfter(index, 0), executions: this.#left() };
  }

  /** Where the runs are not limited, nothing depends on how many there were. */
  holds(
    index: number,
    assumed: AssumedBudget,
    { tally: { executions } }: ScenarioResult<State, Op>,
  ): boolean {
    const { runs } = this.#options;
    if (runs === undefined) return true;
    const left = this.#left();
    if (executions > left) return false;
    if (!this.#inTime()) return true;
    const now = this.#phase(index, this.usedAfter(index, 0));
    const cut = executions === assumed.executions;
    return this.#phase(index, assumed.used) === now && (!cut || executions === left);
  }

  /** What is done with a scenario depends on the part that is used up through this alone. */
  #phase(index: number, used: number): string | boolean | undefined {
    const isVisit = this.#explorer.order.at(index).visit !== undefined;
    return isVisit ? used < 1 : this.#options.strategy.phase?.(used);
  }

  add(explored: ScenarioResult<State, Op>): void {
    if (this.#explorer.order.at(this.next).visit !== undefined) {
      this.#pairExecutions += explored.tally.executions;
    }
    this.exploration.add(explored);
  }

  onExecution(ahead: Counted): void {
    const { executions, violations } = this.exploration.tally;
    this.progress("exploring", {
      executions: executions + ahead.executions,
      violations: violations + ahead.violations,
    });
  }

  /** Whether the only scenario that there is was searched to the end. */
  #nothingLeft(): boolean {
    return this.#single && this.exploration.searched;
  }

  /** How many executions are left of those that were asked for. */
  #left(): number {
    return (this.#options.runs ?? Number.POSITIVE_INFINITY) - this.exploration.tally.executions;
  }

  /** Of the runs, if a number of them was asked for; else of the scenarios, or of the time. */
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

  /** Why the campaign did not do all that it was asked for. */
  unfinished(): string | undefined {
    const { runs, signal, scenarios, shard = WHOLE } = this.#options;
    const { tally, pairs, undecided } = this.exploration;
    const { executions } = tally;
    const before =
      runs === undefined ? "" : ` before all ${runs.toLocaleString("en")} executions were made`;
    if (signal?.aborted) return `interrupted${before}`;
    if (this.exploration.error !== undefined) return this.exploration.error.message;
    const { index, of: shards } = shard;
    const own = pairs.filter((_, at) => at % shards === index);
    const open = own.filter(({ complete }) => !complete).length;
    if (open > 0) return `${open} of ${own.length} pairs were not searched to the end`;
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
    return bypassedGate({ single: this.#single }, tally);
  }

  progress(
    stage: Progress["stage"],
    { executions, violations }: Counted = this.exploration.tally,
  ): void {
    this.#options.onProgress?.({ stage, executions, violations, elapsedMs: this.elapsedMs });
  }
}
