import { GATE_NAMES, type GateName } from "../../harness/core/control.ts";
import { HarnessError } from "../../harness/core/error.ts";
import { historyOf } from "../../harness/core/execution.ts";
import type { Scenario } from "../../harness/core/scenario.ts";
import { Executor } from "../../harness/execution/executor.ts";
import type { ExecutorOptions } from "../../harness/execution/executor-options.ts";
import { readFootprints } from "../../harness/footprints/footprints.ts";
import type { Server } from "../../harness/postgres/provider.ts";
import { DynamicReduction } from "../../harness/scheduler/dynamic-reduction.ts";
import { Exhaustive } from "../../harness/scheduler/exhaustive.ts";
import { RandomWalk } from "../../harness/scheduler/random.ts";
import type { Scheduler } from "../../harness/scheduler/scheduler.ts";
import type { InclusionCase } from "./inclusion-case.ts";
import { type Messages, systemOf } from "./inclusion-system.ts";
import { outcomeOf } from "./outcome.ts";
import { operationsOf, Uncontrolled } from "./uncontrolled.ts";

export interface InclusionOptions {
  readonly gates: readonly GateName[];
  /** Uncontrolled runs of each case; a quarter of them if those have one outcome only. */
  readonly runs: number;
  /** Executions at random with all gates, whose outcomes reduction must not lose either. */
  readonly walks: number;
  /** The most executions of one search. */
  readonly budget: number;
  /** How long one search may begin executions, in ms: it is then cut off as at its budget. */
  readonly searchMs: number;
  readonly seed: number;
}

const STEP_TIMEOUT_MS = 10_000;

export const DEFAULT_OPTIONS: InclusionOptions = {
  gates: GATE_NAMES,
  runs: 200,
  walks: 20,
  budget: 300,
  searchMs: 60_000,
  seed: 1,
};

/** What one case has shown. */
export interface InclusionResult {
  /**
   * `included`: the search has found each outcome. `hole`: it has ended without some of them. `possible`:
   * it has reached its budget before either, but a search without reduction has found them. `open`: neither
   * has. `alike`: all runs had one outcome, and nothing was searched. `failed`: the harness could not
   * execute the case.
   */
  readonly verdict: "included" | "hole" | "possible" | "open" | "alike" | "failed";
  readonly runs: number;
  readonly executions: number;
  /** The distinct outcomes that were looked for. */
  readonly outcomes: number;
  /** Those of them that the search did not find. */
  readonly missed: readonly string[];
  /** For a hole: what lacks an outcome, the gates or the reduction, as far as a full search tells. */
  readonly lacking?: "gates" | "reduction" | "unknown";
  /** Of a failed case, or of a search that has diverged. */
  readonly error?: string | undefined;
}

/**
 * Compares the outcomes of uncontrolled runs, and of random executions with all gates, with those of the
 * complete search with reduction. The search ends as soon as it has found all of them.
 */
export async function compareOutcomes(
  server: Server,
  one: InclusionCase,
  options: InclusionOptions,
): Promise<InclusionResult> {
  let uncontrolled: UncontrolledOutcomes;
  try {
    uncontrolled = await uncontrolledOutcomes(server, one, options);
  } catch (cause) {
    const error = `without control: ${String(cause)}`;
    return { verdict: "failed", runs: 0, executions: 0, outcomes: 0, missed: [], error };
  }
  const count = { runs: uncontrolled.runs, outcomes: uncontrolled.outcomes.size };
  if (uncontrolled.outcomes.size === 1) {
    return { ...count, verdict: "alike", executions: 0, missed: [] };
  }
  let full: Search | undefined;
  let reduced: Search | undefined;
  try {
    full = await Search.open(server, one, options.gates, {});
    // What footprints learn from one search must not help the other.
    reduced = await Search.open(server, one, options.gates, { footprints: readFootprints });
    const walks = await full.outcomes(new RandomWalk(options.seed), options.walks);
    const sought = new Set([...uncontrolled.outcomes, ...walks]);
    const missed = new Set(sought);
    const reduction = new DynamicReduction();
    await reduced.look(reduction, missed, options);
    const executions = () => (full?.executions ?? 0) + (reduced?.executions ?? 0);
    const result = { ...count, outcomes: sought.size, missed: [...missed] };
    if (missed.size === 0) return { ...result, executions: executions(), verdict: "included" };
    // Random executions have shown the others: only the reduction can lack them.
    const lacked = new Set([...missed].filter((outcome) => !walks.includes(outcome)));
    const exhaustive = new Exhaustive();
    if (lacked.size > 0) await full.look(exhaustive, lacked, options);
    const searched = { ...result, executions: executions() };
    if (lacked.size > 0 && exhaustive.complete) {
      return { ...searched, verdict: "hole", lacking: "gates" };
    }
    if (!reduction.complete) {
      const verdict = lacked.size > 0 ? "open" : "possible";
      return { ...searched, verdict, error: reduction.diverged };
    }
    const lacking = lacked.size < missed.size ? "reduction" : "unknown";
    return { ...searched, verdict: "hole", lacking };
  } catch (cause) {
    if (!(cause instanceof HarnessError)) throw cause;
    const executions = (full?.executions ?? 0) + (reduced?.executions ?? 0);
    return { ...count, verdict: "failed", executions, missed: [], error: cause.message };
  } finally {
    await full?.close();
    await reduced?.close();
  }
}

interface UncontrolledOutcomes {
  readonly runs: number;
  readonly outcomes: ReadonlySet<string>;
}

async function uncontrolledOutcomes(
  server: Server,
  one: InclusionCase,
  { runs, seed }: InclusionOptions,
): Promise<UncontrolledOutcomes> {
  const outcomes = new Set<string>();
  const uncontrolled = await Uncontrolled.open(server, one, seed);
  try {
    let done = 0;
    while (done < (outcomes.size <= 1 ? runs / 4 : runs)) {
      outcomes.add(await uncontrolled.run());
      done++;
    }
    return { runs: done, outcomes };
  } finally {
    await uncontrolled.close();
  }
}

/** A case on a database with gates. */
class Search {
  executions = 0;
  readonly #executor: Executor<null, Messages>;
  readonly #scenario: Scenario<null, Messages>;

  private constructor(executor: Executor<null, Messages>, scenario: Scenario<null, Messages>) {
    this.#executor = executor;
    this.#scenario = scenario;
  }

  static async open(
    server: Server,
    one: InclusionCase,
    gates: readonly GateName[],
    options: Pick<ExecutorOptions, "footprints">,
  ): Promise<Search> {
    const executor = await Executor.open(server, systemOf(one), {
      control: { gates, isolation: one.isolation },
      stepTimeoutMs: STEP_TIMEOUT_MS,
      signal: undefined,
      ...options,
    });
    const clients = operationsOf(one).map((operation) => [operation]);
    return new Search(executor, { initial: null, clients });
  }

  async #execute(scheduler: Scheduler): Promise<string> {
    this.executions++;
    const { trace, snapshot } = await this.#executor.execute(this.#scenario, scheduler);
    const responses = this.#scenario.clients.map((_, client) =>
      historyOf(trace)
        .flatMap((event) =>
          event.type === "return" && event.client === client ? event.response : [],
        )
        .at(0),
    );
    return outcomeOf(responses, snapshot);
  }

  /** The outcomes of that many executions. */
  async outcomes(scheduler: Scheduler, count: number): Promise<readonly string[]> {
    const outcomes: string[] = [];
    while (outcomes.length < count) outcomes.push(await this.#execute(scheduler));
    return outcomes;
  }

  /** Executes schedules until each of `missed`, from which it removes what it finds, was found. */
  async look(
    scheduler: Scheduler,
    missed: Set<string>,
    { budget, searchMs }: Pick<InclusionOptions, "budget" | "searchMs">,
  ): Promise<void> {
    const end = performance.now() + searchMs;
    for (let left = budget; left > 0 && missed.size > 0 && performance.now() < end; left--) {
      if (!scheduler.begin(this.#scenario)) return;
      missed.delete(await this.#execute(scheduler));
    }
  }

  close(): Promise<void> {
    return this.#executor.close();
  }
}
