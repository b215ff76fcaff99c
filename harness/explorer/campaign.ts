import type { Campaign, Environment } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import { commandCount } from "../core/scenario.ts";
import type { Verdict, Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import type { Strategy } from "../scheduler/strategies.ts";
import { controlled, uncontrolled } from "./control.ts";
import { type Generated, generator } from "./generate.ts";
import { judge, sameRule } from "./judge.ts";
import { PairTally } from "./pair-search.ts";
import { shrink } from "./shrink.ts";
import { hashSources } from "./sources.ts";
import type { Bounds, Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** How many executions; undefined: until the time is up. */
  readonly runs: number | undefined;
  /** How long to explore, in ms, shrinking aside; undefined: until the runs are done. */
  readonly timeMs: number | undefined;
  /** Of generated scenarios. */
  readonly bounds: Bounds;
  /** The model's pairs of commands, one after the other, instead of generated scenarios. */
  readonly pairs: boolean;
  /** By its name and what it is. */
  readonly strategy: Strategy;
  readonly mutant: string | undefined;
  readonly control: Control;
  /** How long shrinking may take, in ms. */
  readonly shrinkTimeMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** How far a campaign is. */
export interface Progress {
  readonly stage: "exploring" | "shrinking";
  readonly executions: number;
  readonly violations: number;
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
  const exploration = new Exploration(executor, subject, options);
  const startedAt = new Date();
  await exploration.explore();
  const exploredMs = exploration.elapsedMs;
  const found = exploration.failing && (await exploration.shrunk(exploration.failing));
  const { tally, error } = exploration;
  const reason = exploration.unfinished();
  const campaign: Campaign = {
    ...tally.summary(),
    model: subject.name,
    mutant: options.mutant ?? null,
    verdict: verdictOf(tally.violations, reason),
    reason: tally.violations > 0 ? null : (reason ?? null),
    seed: options.seed,
    strategy: options.strategy.name,
    control: options.control,
    clients: { min: options.bounds.minClients, max: options.bounds.maxClients },
    pairs: exploration.pairs.map(({ summary }) => summary),
    startedAt: startedAt.toISOString(),
    elapsedMs: exploration.elapsedMs,
    executionsPerSecond: tally.executions / (exploredMs / 1000),
    counterexamples: found
      ? [
          {
            ...found,
            versions: { heddle: environment.heddle, postgres: environment.postgres.version },
            hashes,
          },
        ]
      : [],
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

interface Failing<State extends Json, C extends Command> {
  readonly number: number;
  readonly execution: Execution<State, C>;
  readonly violations: readonly Violation[];
}

class Exploration<State extends Json, C extends Command> {
  readonly tally: Tally<State, C>;
  /** Those that were asked for. */
  readonly pairs: readonly PairTally<State, C>[];
  failing: Failing<State, C> | undefined;
  error: HarnessError | undefined;
  readonly #executor: Executor<State, C>;
  readonly #subject: Subject<State, C>;
  readonly #options: CampaignOptions;
  readonly #began = performance.now();

  constructor(executor: Executor<State, C>, subject: Subject<State, C>, options: CampaignOptions) {
    this.pairs = options.pairs ? PairTally.all(subject) : [];
    // What the generator promises, it does not promise of scenarios that it did not make.
    this.tally = new Tally(options.pairs ? { ...subject, patterns: [] } : subject);
    this.#executor = executor;
    this.#subject = subject;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  async explore(): Promise<void> {
    const { bounds, seed, pairs } = this.#options;
    const input = generator(this.#subject, bounds, seed);
    const end = pairs ? this.pairs.length : Number.POSITIVE_INFINITY;
    try {
      for (let index = 0; index < end && this.#more(); index++) {
        await this.#scenario({ ...input(index), ...this.pairs[index]?.pair }, this.pairs[index]);
      }
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      this.error = error;
    }
  }

  async #scenario(
    { scenario, scheduleSeed }: Generated<State, C>,
    pair: PairTally<State, C> | undefined,
  ): Promise<void> {
    const { executions, scheduler } = this.#options.strategy.explore(scheduleSeed, this.#used());
    this.tally.scenario(scenario);
    for (let left = executions; left > 0 && this.#more(); left--) {
      if (!scheduler.begin(scenario)) break;
      const execution = await this.#executor.execute(scenario, scheduler);
      if (pair !== undefined) pair.execution(execution, await this.#executor.contents());
      const violations = judge(this.#subject, execution);
      this.tally.execution(execution, violations);
      if (violations.length > 0) {
        this.failing = { number: this.tally.executions - 1, execution, violations };
      }
      this.#progress("exploring");
    }
    pair?.explored(scheduler);
    this.tally.explored(scheduler, scenario.clients.length);
  }

  /** The part of the budget that is used up: of the runs, if a number of them was asked for. */
  #used(): number {
    const { runs, timeMs } = this.#options;
    if (runs !== undefined) return this.tally.executions / runs;
    return timeMs === undefined ? 0 : this.elapsedMs / timeMs;
  }

  #more(): boolean {
    const { runs, timeMs, signal } = this.#options;
    return (
      this.failing === undefined &&
      !signal?.aborted &&
      (runs === undefined || this.tally.executions < runs) &&
      (timeMs === undefined || this.elapsedMs < timeMs)
    );
  }

  /** Why the campaign did not do all that it was asked for. */
  unfinished(): string | undefined {
    const { runs, signal } = this.#options;
    const { executions } = this.tally;
    const of = runs === undefined ? "" : ` of ${runs}`;
    if (signal?.aborted) return `interrupted after ${executions}${of} executions`;
    if (this.error !== undefined) return this.error.message;
    const open = this.pairs.filter(({ complete }) => !complete).length;
    if (open > 0) return `${open} of ${this.pairs.length} pairs were not searched to the end`;
    if (this.pairs.length === 0 && runs !== undefined && executions < runs) {
      return `the time was up after ${executions}${of} executions`;
    }
    return executions === 0 ? "the time was up before the first execution" : undefined;
  }

  #progress(stage: Progress["stage"]): void {
    const { executions, violations } = this.tally;
    this.#options.onProgress?.({ stage, executions, violations, elapsedMs: this.elapsedMs });
  }

  async shrunk(
    failing: Failing<State, C>,
  ): Promise<Omit<Counterexample<State, C>, "versions" | "hashes">> {
    const { signal, shrinkTimeMs, seed, mutant, control } = this.#options;
    const deadline = performance.now() + shrinkTimeMs;
    const [first] = failing.violations;
    const { execution, executions, minimal, error } = await shrink(failing.execution, {
      execute: (scenario, scheduler) => {
        this.#progress("shrinking");
        return this.#executor.execute(scenario, scheduler);
      },
      fails: (candidate) =>
        judge(this.#subject, candidate).some((other) => first && sameRule(first, other)),
      simpler: (scenario) => this.#subject.simpler?.(scenario) ?? [],
      more: () => performance.now() < deadline && !signal?.aborted,
    });
    this.error ??= error;
    return {
      version: 1,
      model: this.#subject.name,
      mutant: mutant ?? null,
      control,
      seed,
      execution: failing.number,
      scenario: execution.scenario,
      schedule: execution.schedule,
      trace: execution.trace,
      violations: judge(this.#subject, execution),
      preemptions: preemptionCount(execution.trace),
      shrunk: {
        executions,
        commands: commandCount(failing.execution.scenario),
        preemptions: preemptionCount(failing.execution.trace),
        minimal,
      },
    };
  }
}
