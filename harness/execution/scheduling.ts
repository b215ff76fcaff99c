import { NOTHING } from "../core/footprint.ts";
import { type Choice, clientOf, type Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { PendingStatements } from "./pending-statements.ts";
import { type Polling, withoutYielded } from "./polling.ts";
import type { StepFootprints } from "./step-footprints.ts";

/** What can happen next in a run. */
export interface Possibilities {
  /** The choices of all tasks that can move. */
  readonly enabled: readonly Choice[];
  /** Those of tasks that have not yielded (see `Scheduling.fair`). */
  readonly fair: readonly Choice[];
  /** All faults that can be injected. */
  readonly faults: () => readonly Choice[];
  /** The task that moved last. */
  readonly previous: Task | undefined;
}

/**
 * Asks the scheduler for the next choice, and reports to it what the last one led to. A step that no other
 * client can notice is no choice: it follows at once, and belongs to the step before it.
 */
export class Scheduling {
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #statements: Pick<PendingStatements, "find">;
  readonly #polling: Polling;
  readonly #footprints: StepFootprints | undefined;
  readonly #observesCommits: boolean;
  /** The number of events before the last step that the scheduler has chosen; undefined before the first. */
  #chosenAt: number | undefined;
  #revision: number | undefined;
  #choicesRevision: number | undefined;

  /** @param observesCommits whether committed state is observed after each commit */
  constructor(
    scheduler: Scheduler,
    trace: Trace,
    statements: Pick<PendingStatements, "find">,
    polling: Polling,
    footprints: StepFootprints | undefined,
    observesCommits: boolean,
  ) {
    this.#scheduler = scheduler;
    this.#trace = trace;
    this.#statements = statements;
    this.#polling = polling;
    this.#footprints = footprints;
    this.#observesCommits = observesCommits;
    this.#revision = footprints?.revision;
    this.#choicesRevision = footprints?.choicesRevision;
  }

  /** The choices of tasks that have not yielded; all of them if there are none. */
  fair(enabled: readonly Choice[]): readonly Choice[] {
    return withoutYielded(enabled, (task) => {
      const pending = this.#statements.find(task);
      return pending !== undefined && this.#polling.hasYielded(pending);
    });
  }

  /** The next choice or fault. Undefined when no task can move. */
  next({ enabled, fair, faults, previous }: Possibilities): Choice | undefined {
    // A scheduler that follows a given order has the steps that no other client can notice in it.
    const isGiven = this.#scheduler.fair === false;
    const candidates = isGiven ? enabled : fair;
    const following = isGiven ? undefined : this.#following(candidates, previous);
    if (following === undefined) this.#report();
    const fault = this.#scheduler.inject?.(faults(), candidates);
    if (fault === undefined && following !== undefined) {
      this.#scheduler.goesOn?.(following);
      return following;
    }
    this.#chosenAt = this.#trace.length;
    if (fault !== undefined || candidates.length === 0) return fault;
    const yielded = enabled.filter((choice) => !candidates.includes(choice));
    return this.#scheduler.choose(
      candidates,
      previous,
      (choice) => this.#footprintOf(choice),
      yielded.map(({ task }) => task),
    );
  }

  /** See `Scheduler.delayMs`. */
  get delayMs(): number {
    return this.#scheduler.delayMs?.() ?? 0;
  }

  /** Whether no other client can notice the step with which the client that moved last goes on. */
  isPrivate({ task, action }: Choice, previous: Task | undefined): boolean {
    if (previous === undefined || clientOf(previous) !== clientOf(task)) return false;
    const pending = this.#statements.find(task);
    if (action !== "release" || pending === undefined || this.#footprints === undefined)
      return false;
    return this.#footprints.isPrivate(pending) && !this.#polling.mayRepeat(pending);
  }

  /** The choice with which the client that moved last goes on at once. */
  #following(enabled: readonly Choice[], previous: Task | undefined): Choice | undefined {
    if (previous === undefined) return undefined;
    const [choice, ...others] = enabled.filter(({ task }) => clientOf(task) === clientOf(previous));
    // With several statements under way, the client may notice which one is answered first.
    if (choice === undefined || others.length > 0) return undefined;
    return this.isPrivate(choice, previous) ? choice : undefined;
  }

  /** Reports the events since the last choice. */
  #report(): void {
    if (this.#chosenAt === undefined) return;
    const released = this.#footprints === undefined ? NOTHING : this.#footprints.takeReleased();
    this.#scheduler.observe?.(this.#trace.slice(this.#chosenAt), released);
    const revision = this.#footprints?.revision;
    const choicesRevision = this.#footprints?.choicesRevision;
    if (revision !== this.#revision)
      this.#scheduler.footprintsGrew?.(choicesRevision !== this.#choicesRevision);
    this.#revision = revision;
    this.#choicesRevision = choicesRevision;
  }

  /**
   * Whether a task that polls is enabled depends on the steps of all others, from the second execution of
   * its round on. Where each commit is observed, so is the order of any two of them.
   */
  #footprintOf(choice: Choice) {
    if (this.#observesCommits || this.#mayPoll(choice.task)) return undefined;
    return this.#footprints?.of(choice);
  }

  #mayPoll(task: Task): boolean {
    const pending = this.#statements.find(task);
    return pending !== undefined && this.#polling.mayRepeat(pending);
  }
}
