import { HarnessError } from "../core/error.ts";
import { type Execution, preemptionCount } from "../core/execution.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { parseEntry } from "../core/schedule.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSearch, OneSchedule } from "../scheduler/fault-search.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { type Removal, shrinkArguments } from "./argument-shrinking.ts";
import type { ShrinkTree } from "./generate.ts";
import {
  type Candidate,
  withFewerFaults,
  withFewerOperations,
  withFewerSwitches,
} from "./shrink-candidates.ts";

export interface ShrinkOptions<State extends Json, Op extends Operation> {
  readonly execute: (
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
  ) => Promise<Execution<State, Op>>;
  /** Whether an execution still shows the violation that is being shrunk. */
  readonly fails: (execution: Execution<State, Op>) => Promise<boolean>;
  /**
   * The failing scenario as fast-check generated it, from which arguments and the initial state
   * are shrunk; undefined for a scenario that was not generated: they stay as they are.
   */
  readonly tree: ShrinkTree<Scenario<State, Op>> | undefined;
  /** Simpler initial states (see `Service.shrunkStates`). Default: none. */
  readonly shrunkStates?: ((initial: State) => readonly State[]) | undefined;
  /** The operations belong together: only the schedule gets smaller. Default: false. */
  readonly keepOperations?: boolean | undefined;
  /** Whether there is time for one more execution. */
  readonly more: () => boolean;
}

export interface ShrinkResult<State extends Json, Op extends Operation> {
  readonly execution: Execution<State, Op>;
  /** The number of executions that shrinking took. */
  readonly executions: number;
  /** No client, no operation and no preemption can be taken away, within what was searched. */
  readonly minimal: boolean;
  /** What went wrong with the harness; `execution` is the smallest until then. */
  readonly error: HarnessError | undefined;
}

/** The most executions in the thorough search for one smaller scenario. */
const EXECUTIONS_PER_SEARCH = 1_000;

/** A failing execution, and the node of the generated scenario's shrink tree that it comes from. */
interface Failing<State extends Json, Op extends Operation> {
  readonly execution: Execution<State, Op>;
  readonly tree: ShrinkTree<Scenario<State, Op>> | undefined;
  /** Makes the execution's scenario out of the node's value. */
  readonly removal: Removal<State, Op>;
}

/**
 * Shrinks a failing execution to a local minimum. First the cheap way: each candidate is executed once,
 * with the rest of the failing schedule. Faults go first; then switches before operations, since a
 * scenario with few switches survives the loss of an operation more often; then arguments and the initial
 * state, by fast-check's shrinker. Then the thorough way: each smaller scenario under every schedule with
 * as many preemptions as are left, since without an operation the others may have to be interrupted
 * elsewhere. Where a fault is needed, the thorough way tries it at each place. Every operation is tried
 * for removal: the last one need not be the cause.
 */
export async function shrink<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  options: ShrinkOptions<State, Op>,
): Promise<ShrinkResult<State, Op>> {
  const attempts = new Attempts(options);
  let best: Failing<State, Op> = { execution, tree: options.tree, removal: (whole) => whole };
  for (let better: typeof best | undefined = best; better !== undefined; ) {
    best = better;
    better =
      (await withSmallerSchedule(best, attempts)) ??
      (options.keepOperations ? undefined : await withSmallerScenario(best, attempts)) ??
      (await withSimplerState(best, options, attempts)) ??
      (await withSimplerArguments(best, attempts)) ??
      (await thoroughly(best, options, attempts));
  }
  const { executions, cutShort, error } = attempts;
  return { execution: best.execution, executions, minimal: !cutShort, error };
}

async function withSmallerSchedule<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Failing<State, Op> | undefined> {
  const { execution } = best;
  for (const candidate of withFewerFaults(execution)) {
    const found = await attempts.once(candidate);
    if (found !== undefined && faultsOf(found).length < faultsOf(execution).length) {
      return { ...best, execution: found };
    }
  }
  for (const candidate of withFewerSwitches(execution)) {
    const found = await attempts.once(candidate);
    if (found !== undefined && preemptionsOf(found) < preemptionsOf(execution)) {
      return { ...best, execution: found };
    }
  }
  return undefined;
}

async function withSmallerScenario<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Failing<State, Op> | undefined> {
  for (const candidate of withFewerOperations(best.execution)) {
    const found = await attempts.once(candidate);
    if (found !== undefined) return smaller(best, found, candidate.removal);
  }
  return undefined;
}

async function withSimplerState<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  { shrunkStates }: ShrinkOptions<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Failing<State, Op> | undefined> {
  const { scenario, schedule } = best.execution;
  for (const initial of shrunkStates?.(scenario.initial) ?? []) {
    const found = await attempts.once({ scenario: { ...scenario, initial }, schedule });
    if (found !== undefined) return smaller(best, found, (other) => ({ ...other, initial }));
  }
  return undefined;
}

async function withSimplerArguments<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Failing<State, Op> | undefined> {
  const { execution, tree, removal } = best;
  if (tree === undefined) return undefined;
  for (const { scenario, tree: simpler } of shrinkArguments(execution.scenario, tree, removal)) {
    const found = await attempts.once({ scenario, schedule: execution.schedule });
    if (found !== undefined) return { execution: found, tree: simpler, removal };
  }
  return undefined;
}

async function thoroughly<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  { keepOperations }: ShrinkOptions<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Failing<State, Op> | undefined> {
  const { execution } = best;
  const preemptions = preemptionsOf(execution);
  const candidates = keepOperations ? [] : [...withFewerOperations(execution)];
  const [fault, ...others] = faultsOf(execution);
  if (others.length > 0) return undefined;
  const search =
    fault === undefined
      ? (scenario: Scenario<State, Op>) => attempts.bounded(scenario, preemptions)
      : (scenario: Scenario<State, Op>) =>
          attempts.failing(scenario, new FaultSearch([fault], new OneSchedule()));
  for (const { scenario, removal } of candidates) {
    const found = await search(scenario);
    if (found !== undefined) return smaller(best, found, removal);
  }
  const found =
    fault === undefined
      ? await attempts.bounded(execution.scenario, preemptions - 1)
      : // The schedule of this search has no preemptions.
        preemptions > 0
        ? await search(execution.scenario)
        : undefined;
  return found && { ...best, execution: found };
}

function smaller<State extends Json, Op extends Operation>(
  best: Failing<State, Op>,
  execution: Execution<State, Op>,
  removal: Removal<State, Op>,
): Failing<State, Op> {
  return { ...best, execution, removal: (scenario) => removal(best.removal(scenario)) };
}

function faultsOf({ schedule }: Execution): Fault[] {
  return schedule.entries.flatMap((entry) => parseEntry(entry).fault ?? []);
}

function preemptionsOf(execution: Execution): number {
  return preemptionCount(execution.trace);
}

class Attempts<State extends Json, Op extends Operation> {
  executions = 0;
  /** Whether a search ended before its last candidate. */
  cutShort = false;
  error: HarnessError | undefined;
  readonly #options: ShrinkOptions<State, Op>;
  readonly #passed = new Set<string>();

  constructor(options: ShrinkOptions<State, Op>) {
    this.#options = options;
  }

  /** Executes a candidate under its own schedule, unless it is known to pass. */
  async once({
    scenario,
    schedule,
  }: Candidate<State, Op>): Promise<Execution<State, Op> | undefined> {
    const key = JSON.stringify([scenario, schedule.entries]);
    if (this.#passed.has(key)) return undefined;
    const found = await this.failing(scenario, new ReplayScheduler(schedule));
    if (found === undefined) this.#passed.add(key);
    return found;
  }

  /** Tries every schedule with at most `bound` preemptions, those with the fewest first. */
  async bounded(
    scenario: Scenario<State, Op>,
    bound: number,
  ): Promise<Execution<State, Op> | undefined> {
    if (bound < 0) return undefined;
    const search = new Exhaustive(bound);
    const found = await this.failing(scenario, search);
    if (search.diverged !== undefined) this.cutShort = true;
    return found;
  }

  /** The first failing execution among those of the scheduler. */
  async failing(
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
  ): Promise<Execution<State, Op> | undefined> {
    for (let tried = 0; scheduler.begin(scenario); tried++) {
      if (tried === EXECUTIONS_PER_SEARCH || this.error !== undefined || !this.#options.more()) {
        this.cutShort = true;
        return undefined;
      }
      this.executions++;
      try {
        const execution = await this.#options.execute(scenario, scheduler);
        if (await this.#options.fails(execution)) return execution;
      } catch (error) {
        if (!(error instanceof HarnessError)) throw error;
        this.error = error;
        this.cutShort = true;
      }
    }
    return undefined;
  }
}
