import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Tries every schedule of a scenario once, those with the fewest preemptions first, up to a bound.
 * An execution follows a prefix, then goes on without leaving anybody; wherever somebody else
 * could have moved instead, the prefix that does so is kept for later, under the number of
 * preemptions that it has. With a bound of 0 these are the orders of whole operations; without a
 * bound, all interleavings.
 *
 * The order is that of Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing of
 * Multithreaded Programs" (PLDI 2007). Here leaving a client between two of its operations is free.
 */
export class Exhaustive implements Scheduler {
  /** The most preemptions; Infinity for all interleavings. */
  readonly bound: number;
  /** What is left to try, by preemptions: prefixes of schedules. */
  readonly #left: (readonly Task[])[][] = [[[]]];
  #prefix: readonly Task[] = [];
  #path: Task[] = [];
  #preemptions = 0;
  /** Whether there are schedules with more preemptions than the bound allows. */
  #beyond = false;
  /** How many schedules were tried, by preemptions. */
  readonly explored: number[] = [];
  /** Set when a prefix could not be repeated: then not every schedule was tried. */
  diverged: string | undefined;

  constructor(bound = Number.POSITIVE_INFINITY) {
    this.bound = bound;
  }

  /** Whether every schedule within the bound was tried. */
  get complete(): boolean {
    return this.diverged === undefined && this.#next() === undefined;
  }

  /**
   * The most preemptions up to which every schedule was tried: -1 if not even the orders of whole
   * operations were, Infinity if there are no others at all.
   */
  get completeUpTo(): number {
    if (this.diverged !== undefined) return -1;
    const next = this.#next();
    if (next !== undefined) return next - 1;
    return this.#beyond ? this.bound : Number.POSITIVE_INFINITY;
  }

  begin(): boolean {
    if (this.#path.length < this.#prefix.length) {
      this.diverged ??= `an execution ended after ${this.#path.length} steps, and before it did not`;
    }
    const preemptions = this.#next();
    const prefix = preemptions === undefined ? undefined : this.#left[preemptions]?.pop();
    if (preemptions === undefined || prefix === undefined) return false;
    this.explored[preemptions] = (this.explored[preemptions] ?? 0) + 1;
    this.#prefix = prefix;
    this.#path = [];
    this.#preemptions = 0;
    return true;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
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
      this.diverged ??= `at step ${this.#path.length} task ${task} could move before, and then could not`;
      this.#prefix = this.#path.slice();
    }
    return choice;
  }

  /** Goes on without leaving anybody, and keeps all other choices for later. */
  #expand(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice =
      enabled.find(({ task }) => task === previous) ??
      enabled.find(({ task }) => !isPreemption(previous, task, enabled));
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    for (const { task } of enabled) {
      if (task === choice.task) continue;
      const preemptions = this.#preemptions + (isPreemption(previous, task, enabled) ? 1 : 0);
      if (preemptions > this.bound) {
        this.#beyond = true;
        continue;
      }
      while (this.#left.length <= preemptions) this.#left.push([]);
      this.#left[preemptions]?.push([...this.#path, task]);
    }
    return choice;
  }

  /** The fewest preemptions for which a prefix is left. */
  #next(): number | undefined {
    const index = this.#left.findIndex((prefixes) => prefixes.length > 0);
    return index < 0 ? undefined : index;
  }
}
