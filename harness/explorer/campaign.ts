import type { Campaign, Environment, RegressionFate } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { controlled, uncontrolled } from "./control.ts";
import { determinism } from "./determinism.ts";
import { Exploration } from "./exploration.ts";
import {
  type Failing,
  knownAlready,
  ScenarioExplorer,
  type ScenarioOptions,
} from "./explore-scenario.ts";
import { type JudgeName, Judges, judgesOf } from "./judge.ts";
import { type Shrunken, shrunkCounterexample, unshrunk } from "./shrunk-counterexample.ts";
import { hashSources } from "./sources.ts";
import type { Subject } from "./subject.ts";

export interface CampaignOptions extends ScenarioOptions {
  /** How many executions; undefined: until the time is up. */
  readonly runs: number | undefined;
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
  readonly onViolation?: ((found: Counterexample) => Promise<void>) | undefined;
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

export interface CampaignResult {
  readonly campaign: Campaign;
  /** What kept the campaign from its end, if anything did. */
  readonly error: HarnessError | undefined;
}

/**
 * Runs generated scenarios, or the model's pairs, each under the schedules of the strategy, and
 * judges every execution. Ends at the first violation, and shrinks it. What goes wrong with the
 * harness ends it too: then the verdict is `unknown`, unless a violation was found before.
 */
export async function runCampaign<State extends Json, C extends Command>(
  executor: Executor<State, C>,
  subject: Subject<State, C>,
  environment: Environment,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const hashes = await hashSources(subject.sources);
  const run = new CampaignRun(executor, subject, options);
  const startedAt = new Date();
  if (options.known === undefined) await run.explore();
  else run.exploration.add(knownAlready(options.known as Failing<State, C>));
  const exploredMs = run.elapsedMs;
  const { tally, failing } = run.exploration;
  const counterexample = (own: Shrunken<State, C>): Counterexample<State, C> => ({
    ...own,
    version: 1,
    model: subject.name,
    mutant: options.mutant ?? null,
    control: options.control,
    seed: options.seed,
    execution: failing?.number ?? 0,
    versions: { heddle: environment.heddle, postgres: environment.postgres.version },
    hashes,
  });
  if (failing !== undefined) await options.onViolation?.(counterexample(unshrunk(failing)));
  const found =
    failing &&
    (await shrunkCounterexample(failing, {
      executor,
      subject,
      judges: run.judges,
      timeMs: options.shrinkTimeMs,
      signal: options.signal,
      onExecution: () => run.progress("shrinking"),
    }));
  const error = run.exploration.error ?? found?.error;
  const reason = run.unfinished();
  const campaign: Campaign = {
    ...run.exploration.summary(run.judges.rules, subject.patterns),
    ...(subject.single && { scenarios: 1 }),
    model: subject.name,
    mutant: options.mutant ?? null,
    verdict: verdictOf(tally.violations, reason),
    reason: tally.violations > 0 ? null : (reason ?? null),
    seed: options.seed,
    strategy: options.strategy.name,
    control: options.control,
    clients: { min: options.bounds.minClients, max: options.bounds.maxClients },
    startedAt: startedAt.toISOString(),
    elapsedMs: run.elapsedMs,
    executionsPerSecond: tally.executions / (exploredMs / 1000),
    regressions: options.regressions ?? [],
    counterexamples: found ? [counterexample(found.counterexample)] : [],
    controlled: controlled(options.control, executor.ordersWakes),
    uncontrolled: uncontrolled(options.control, environment, executor.ordersWakes, executor.whole),
    environment,
    hashes,
  };
  return { campaign, error };
}

function verdictOf(violations: number, unfinished: string | undefined): Verdict {
  if (violations > 0) return "fail";
  return unfinished === undefined ? "pass" : "unknown";
}

class CampaignRun<State extends Json, C extends Command> {
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
    this.exploration = new Exploration(this.#explorer.pairs);
    this.#single = subject.single === true;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  async explore(): Promise<void> {
    const end = this.#options.pairs ? this.#explorer.pairs.length : Number.POSITIVE_INFINITY;
    while (
      this.exploration.explored < end &&
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
      this.exploration.add(await this.#explorer.explore(this.exploration.explored, effort));
    }
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
    const { runs, timeMs } = this.#options;
    if (runs !== undefined) return executions / runs;
    return timeMs === undefined ? 0 : this.elapsedMs / timeMs;
  }

  #more(): boolean {
    const { timeMs, signal } = this.#options;
    return (
      this.exploration.failing === undefined &&
      this.exploration.error === undefined &&
      !signal?.aborted &&
      (timeMs === undefined || this.elapsedMs < timeMs)
    );
  }

  /** Why the campaign did not do all that it was asked for. */
  unfinished(): string | undefined {
    const { runs, signal } = this.#options;
    const { tally, pairs, undecided } = this.exploration;
    const { executions } = tally;
    const of = runs === undefined ? "" : ` of ${runs}`;
    if (signal?.aborted) return `interrupted after ${executions}${of} executions`;
    if (this.exploration.error !== undefined) return this.exploration.error.message;
    const open = pairs.filter(({ complete }) => !complete).length;
    if (open > 0) return `${open} of ${pairs.length} pairs were not searched to the end`;
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
