import type { RegressionFate } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Json } from "../core/json.ts";
import type { Executor } from "../execution/executor.ts";
import { effortUsed } from "../scheduler/strategies.ts";
import { determinism } from "./determinism.ts";
import { Exploration } from "./exploration.ts";
import { type Failing, ScenarioExplorer, type ScenarioOptions } from "./explore-scenario.ts";
import { type JudgeName, Judges, judgesOf } from "./judge.ts";
import { type Shard, WHOLE } from "./shard.ts";
import type { Subject } from "./subject.ts";

export interface CampaignOptions extends ScenarioOptions {
  /** How many executions; undefined: until the time is up. */
  readonly runs: number | undefined;
  /** How many scenarios, in all shards; undefined: as many as the other limits allow. */
  readonly scenarios?: number | undefined;
  /** Only these of them. */
  readonly shard?: Shard | undefined;
  /** Whether to end at the first violation; else each rule has its first one. By default it ends. */
  readonly failFast?: boolean;
  /** How long to explore, in ms, shrinking aside; undefined: until the runs are done. */
  readonly timeMs: number | undefined;
  /** Whether to execute each schedule twice, and to compare. */
  readonly checkDeterminism: boolean;
  readonly mutant: string | undefined;
  readonly control: Control;
  /** Those that judge; the violations of the first come first. */
  readonly judges: readonly JudgeName[];
  /** How long shrinking may take, in ms. */
  readonly shrinkTimeMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** What became of the violations that were kept. */
  readonly regressions?: readonly RegressionFate[];
  /** A violation that is known already: then nothing is explored. */
  readonly known?: Failing | undefined;
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

/** The exploring of a campaign, within its limits. */
export class CampaignRun<State extends Json, C extends Command> {
  readonly judges: Judges<State, C>;
  readonly exploration: Exploration<State, C>;
  readonly #explorer: ScenarioExplorer<State, C>;
  readonly #single: boolean;
  readonly #options: CampaignOptions;
  readonly #began = performance.now();

  constructor(executor: Executor<State, C>, subject: Subject<State, C>, options: CampaignOptions) {
    const twice = options.checkDeterminism ? [determinism<State, C>(executor.ordersWakes)] : [];
    this.judges = new Judges([...judgesOf(subject, options.judges), ...twice]);
    this.#explorer = new ScenarioExplorer(executor, subject, this.judges, options);
    this.exploration = new Exploration(this.#explorer.pairs, options.shard);
    this.#single = subject.single === true;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  async explore(): Promise<void> {
    while (
      this.exploration.next < this.#end &&
      !this.#nothingLeft() &&
      this.#left() > 0 &&
      this.#more()
    ) {
      const { executions } = this.exploration.tally;
      let explored = 0;
      const effort = {
        used: () => this.#used(executions + explored),
        executions: this.#left(),
        more: () => this.#more(),
        onExecution: (violations: number) =>
          this.progress("exploring", { executions: executions + ++explored, violations }),
      };
      this.exploration.add(await this.#explorer.explore(this.exploration.next, effort));
    }
  }

  /** How many scenarios there are in all. */
  get #end(): number {
    const { pairs, scenarios } = this.#options;
    return pairs ? this.#explorer.pairs.length : (scenarios ?? Number.POSITIVE_INFINITY);
  }

  /** Whether the only scenario that there is was searched to the end. */
  #nothingLeft(): boolean {
    return this.#single && this.exploration.searched;
  }

  /** How many executions are left of those that were asked for. */
  #left(): number {
    return (this.#options.runs ?? Number.POSITIVE_INFINITY) - this.exploration.tally.executions;
  }

  /** The part of the budget that is used up: of the runs, if a number of them was asked for. */
  #used(executions: number): number {
    const { runs, timeMs, scenarios } = this.#options;
    if (runs !== undefined) return executions / runs;
    if (scenarios !== undefined) return effortUsed(this.exploration.next / scenarios);
    return timeMs === undefined ? 0 : this.elapsedMs / timeMs;
  }

  #more(): boolean {
    const { timeMs, signal, failFast = true } = this.#options;
    return (
      !(failFast && this.exploration.failing.length > 0) &&
      this.exploration.error === undefined &&
      !signal?.aborted &&
      (timeMs === undefined || this.elapsedMs < timeMs)
    );
  }

  /** Why the campaign did not do all that it was asked for. */
  unfinished(): string | undefined {
    const { runs, signal, scenarios, shard = WHOLE } = this.#options;
    const { tally, pairs, undecided } = this.exploration;
    const { executions } = tally;
    const of = runs === undefined ? "" : ` of ${runs}`;
    if (signal?.aborted) return `interrupted after ${executions}${of} executions`;
    if (this.exploration.error !== undefined) return this.exploration.error.message;
    const { index, of: shards } = shard;
    const own = pairs.filter((_, at) => at % shards === index);
    const open = own.filter(({ complete }) => !complete).length;
    if (open > 0) return `${open} of ${own.length} pairs were not searched to the end`;
    if (this.exploration.next < this.#end && scenarios !== undefined) {
      return `the time was up after ${this.exploration.explored} scenarios, ${executions} executions`;
    }
    if (!this.#nothingLeft() && pairs.length === 0 && runs !== undefined && executions < runs) {
      return `the time was up after ${executions}${of} executions`;
    }
    if (undecided !== undefined) {
      return `${tally.undecided} of ${executions} executions could not be judged: ${undecided}`;
    }
    return executions === 0 ? "the time was up before the first execution" : undefined;
  }

  progress(
    stage: Progress["stage"],
    { executions, violations }: Counted = this.exploration.tally,
  ): void {
    this.#options.onProgress?.({ stage, executions, violations, elapsedMs: this.elapsedMs });
  }
}
