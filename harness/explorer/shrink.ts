import { HarnessError } from "../core/error.ts";
import { type Execution, preemptionCount } from "../core/execution.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { partsOf } from "../core/schedule.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSweep } from "../scheduler/fault-sweep.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import {
  type Candidate,
  withLessFaults,
  withLessOperations,
  withLessSwitches,
} from "./shrink-candidates.ts";

export interface ShrinkOptions<State extends Json, Op extends Operation> {
  readonly execute: (
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
  ) => Promise<Execution<State, Op>>;
  /** Whether an execution still shows the violation that is being shrunk. */
  readonly fails: (execution: Execution<State, Op>) => Promise<boolean>;
  /** Simpler initial states and arguments (see `Service.simpler`). */
  readonly simpler: (scenario: Scenario<State, Op>) => Iterable<Scenario<State, Op>>;
  /** The operations belong together: only the schedule gets smaller. */
  readonly whole?: boolean | undefined;
  /** Whether there is time for one more execution. */
  readonly more: () => boolean;
}

export interface Shrunk<State extends Json, Op extends Operation> {
  readonly execution: Execution<State, Op>;
  readonly executions: number;
  /** No client, no operation and no preemption can be taken away, within what was searched. */
  readonly minimal: boolean;
  /** What went wrong with the harness meanwhile; `execution` is the best until then. */
  readonly error: HarnessError | undefined;
}

/** How many executions the thorough search for one smaller scenario may take. */
const EXECUTIONS_PER_SEARCH = 1_000;

/**
 * Shrinks a failing execution to a local minimum. First the cheap way: something smaller is tried
 * once, with what is left of the failing order, switches before operations, since a scenario with
 * few switches survives the loss of a operation more often. Then the thorough way: each smaller
 * scenario under every schedule with as many preemptions as are left, since without a operation the
 * others may have to be interrupted elsewhere. Faults go first of all, and where one is needed, the
 * thorough way tries it at each place. No operation is taken for the culprit because it came
 * last.
 */
export async function shrink<State extends Json, Op extends Operation>(
  failing: Execution<State, Op>,
  options: ShrinkOptions<State, Op>,
): Promise<Shrunk<State, Op>> {
  const attempts = new Attempts(options);
  let best = failing;
  for (let better: typeof best | undefined = best; better !== undefined; ) {
    best = better;
    better =
      (await cheaply(best, options, attempts)) ?? (await thoroughly(best, options, attempts));
  }
  const { executions, cutShort, error } = attempts;
  return { execution: best, executions, minimal: !cutShort, error };
}

async function cheaply<State extends Json, Op extends Operation>(
  best: Execution<State, Op>,
  options: ShrinkOptions<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Execution<State, Op> | undefined> {
  const once = ({ scenario, schedule }: Candidate<State, Op>) =>
    attempts.failing(scenario, new ReplayScheduler(schedule));
  for (const candidate of withLessFaults(best)) {
    const found = await once(candidate);
    if (found !== undefined && faultsOf(found).length < faultsOf(best).length) return found;
  }
  for (const candidate of withLessSwitches(best)) {
    const found = await once(candidate);
    if (found !== undefined && preemptionsOf(found) < preemptionsOf(best)) return found;
  }
  for (const candidate of options.whole ? [] : withLessOperations(best)) {
    const found = await once(candidate);
    if (found !== undefined) return found;
  }
  for (const scenario of options.simpler(best.scenario)) {
    const found = await once({ scenario, schedule: best.schedule });
    if (found !== undefined) return found;
  }
  return undefined;
}

async function thoroughly<State extends Json, Op extends Operation>(
  best: Execution<State, Op>,
  { whole }: ShrinkOptions<State, Op>,
  attempts: Attempts<State, Op>,
): Promise<Execution<State, Op> | undefined> {
  const preemptions = preemptionsOf(best);
  const smaller = whole ? [] : [...withLessOperations(best)];
  const [fault, ...others] = faultsOf(best);
  if (fault !== undefined) {
    return others.length > 0 ? undefined : swept(best, smaller, fault, attempts);
  }
  for (const { scenario } of smaller) {
    const found = await attempts.bounded(scenario, preemptions);
    if (found !== undefined) return found;
  }
  return attempts.bounded(best.scenario, preemptions - 1);
}

/** Where it takes a fault: at each place at which that can strike, without a preemption. */
async function swept<State extends Json, Op extends Operation>(
  best: Execution<State, Op>,
  smaller: readonly Candidate<State, Op>[],
  fault: Fault,
  attempts: Attempts<State, Op>,
): Promise<Execution<State, Op> | undefined> {
  const same = preemptionsOf(best) > 0 ? [best] : [];
  for (const { scenario } of [...smaller, ...same]) {
    const found = await attempts.failing(scenario, new FaultSweep([fault]));
    if (found !== undefined) return found;
  }
  return undefined;
}

function faultsOf({ schedule }: Execution): Fault[] {
  return schedule.entries.flatMap((entry) => partsOf(entry).fault ?? []);
}

function preemptionsOf(execution: Execution): number {
  return preemptionCount(execution.trace);
}

class Attempts<State extends Json, Op extends Operation> {
  executions = 0;
  /** Whether something was left untried. */
  cutShort = false;
  error: HarnessError | undefined;
  readonly #options: ShrinkOptions<State, Op>;

  constructor(options: ShrinkOptions<State, Op>) {
    this.#options = options;
  }

  /** Every schedule with at most `bound` preemptions, those with fewest first. */
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

  /** The first failing execution that the scheduler comes to. */
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
