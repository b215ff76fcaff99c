import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/**
 * Executes every schedule of a scenario once, up to a bound on preemptions, fewest preemptions first.
 * An execution follows a prefix, then continues without preemption. Wherever another task could have
 * moved instead, the prefix that does so is queued under its number of preemptions. A bound of 0 gives
 * the orders of whole operations; no bound, all interleavings.
 *
 * Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded Programs"
 * (PLDI 2007), algorithm 1. Here a switch between two operations of a client is no preemption.
 */
export class Exhaustive implements Scheduler {
  /** The most preemptions; Infinity for all interleavings. */
  readonly bound: number;
  /** Prefixes of the schedules that are not executed yet, by preemptions. */
  #queued: (readonly Task[])[][] = [[[]]];
  #prefix: readonly Task[] = [];
  #path: Task[] = [];
  #preemptions = 0;
  /** Whether there are schedules with more preemptions than the bound allows. */
  #beyond = false;
  /** How many schedules were executed, by preemptions. */
  explored: number[] = [];
  /** Whether the search has to begin anew, because steps were no choices that are. */
  #outdated = false;
  /** Whether a task that polls was left out of the choices: only fair schedules were executed then. */
  hasYields = false;
  #diverged: string | undefined;

  constructor(bound = Number.POSITIVE_INFINITY) {
    this.bound = bound;
  }

  /**
   * How an execution departed from its prefix, if one did: then schedules may be missing. To be asked between
   * two executions, as `complete` is: only when the last one is over can it have ended before its prefix.
   */
  get diverged(): string | undefined {
    if (this.#diverged !== undefined || this.#path.length >= this.#prefix.length) {
      return this.#diverged;
    }
    return `an execution ended after ${this.#path.length} steps, before the end of its prefix`;
  }

  /** Whether every schedule within the bound was executed. */
  get complete(): boolean {
    return !this.#outdated && this.diverged === undefined && this.#next() === undefined;
  }

  /**
   * The most preemptions up to which every schedule was executed: -1 if an order of whole operations
   * is missing, Infinity if the scenario has no further schedules at all.
   */
  get completeUpTo(): number {
    if (this.#outdated || this.diverged !== undefined) return -1;
    const next = this.#next();
    if (next !== undefined) return next - 1;
    return this.#beyond ? this.bound : Number.POSITIVE_INFINITY;
  }

  footprintsGrew(choices = false): void {
    this.#outdated ||= choices;
  }

  begin(): boolean {
    if (this.#outdated) this.#beginAnew();
    this.#diverged = this.diverged;
    const preemptions = this.#next();
    const prefix = preemptions === undefined ? undefined : this.#queued[preemptions]?.pop();
    if (preemptions === undefined || prefix === undefined) return false;
    this.explored[preemptions] = (this.explored[preemptions] ?? 0) + 1;
    this.#prefix = prefix;
    this.#path = [];
    this.#preemptions = 0;
    return true;
  }

  #beginAnew(): void {
    this.#outdated = false;
    this.#queued = [[[]]];
    this.#prefix = [];
    this.#beyond = false;
    this.#diverged = undefined;
    this.explored = [];
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    _footprintOf?: FootprintOf,
    yielded: readonly Task[] = [],
  ): Choice {
    if (yielded.length > 0) this.hasYields = true;
    const choice = this.#planned(enabled) ?? this.#expand(enabled, previous);
    if (isPreemption(previous, choice.task, enabled)) this.#preemptions++;
    this.#path.push(choice.task);
    return choice;
  }

  #planned(enabled: readonly Choice[]): Choice | undefined {
    const task = this.#prefix[this.#path.length];
    if (task === undefined) return undefined;
    const choice = enabled.find((option) => option.task === task);
    if (choice === undefined) {
      this.#diverged ??= `at step ${this.#path.length} task ${task} was enabled in an earlier execution, and then was not`;
      this.#prefix = this.#path.slice();
    }
    return choice;
  }

  /** Continues without preemption, and queues all other choices. */
  #expand(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice = withoutPreemption(enabled, previous);
    for (const { task } of enabled) {
      if (task === choice.task) continue;
      const preemptions = this.#preemptions + (isPreemption(previous, task, enabled) ? 1 : 0);
      if (preemptions > this.bound) {
        this.#beyond = true;
        continue;
      }
      while (this.#queued.length <= preemptions) this.#queued.push([]);
      this.#queued[preemptions]?.push([...this.#path, task]);
    }
    return choice;
  }

  /** The fewest preemptions of a queued prefix. */
  #next(): number | undefined {
    const index = this.#queued.findIndex((prefixes) => prefixes.length > 0);
    return index < 0 ? undefined : index;
  }
}

/** The task that moved last if it can continue, else the first one that preempts none. */
export function withoutPreemption(enabled: readonly Choice[], previous: Task | undefined): Choice {
  const choice =
    enabled.find(({ task }) => task === previous) ??
    enabled.find(({ task }) => !isPreemption(previous, task, enabled));
  if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
  return choice;
}
