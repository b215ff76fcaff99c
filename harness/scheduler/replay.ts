import { type Choice, type Entry, entryOf, type Schedule, type Task } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Follows a schedule once. A task that cannot move when its turn has come, or a fault that cannot
 * strike, is passed over; when the schedule has ended, whoever moved last goes on, else the first.
 * Both are said in `diverged`: a replay must not then pass for one, while shrinking only wants
 * something close.
 */
export class ReplayScheduler implements Scheduler {
  readonly #entries: readonly Entry[];
  #at = 0;
  #begun = false;
  #diverged: string | undefined;

  constructor(schedule: Schedule) {
    this.#entries = schedule.entries;
  }

  begin(): boolean {
    const first = !this.#begun;
    this.#begun = true;
    return first;
  }

  inject(faults: readonly Choice[], enabled: readonly Choice[]): Choice | undefined {
    // Once nobody can move, what is left of the schedule is told as such.
    const next = enabled.length > 0 ? this.#next([...enabled, ...faults]) : this.#wanted(faults);
    if (next === undefined || enabled.includes(next)) return undefined;
    this.#at++;
    return next;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const wanted = this.#next(enabled);
    if (wanted !== undefined) {
      this.#at++;
      return wanted;
    }
    this.#diverged ??= `the schedule ends after ${this.#at} steps, but somebody can still move`;
    const [first] = enabled;
    const choice = enabled.find(({ task }) => task === previous) ?? first;
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  /** The one of `possible` that is next in the schedule; what is not possible is passed over. */
  #next(possible: readonly Choice[]): Choice | undefined {
    for (; this.#at < this.#entries.length; this.#at++) {
      const found = this.#wanted(possible);
      if (found !== undefined) return found;
      const entry = this.#entries[this.#at];
      this.#diverged ??= `at step ${this.#at} task ${entry} should move, but it cannot`;
    }
    return undefined;
  }

  #wanted(possible: readonly Choice[]): Choice | undefined {
    const entry = this.#entries[this.#at];
    return possible.find((choice) => entryOf(choice) === entry);
  }

  /** After the execution: what first went otherwise than the schedule says, if anything did. */
  diverged(): string | undefined {
    const { length } = this.#entries;
    const left = this.#at < length;
    return (
      this.#diverged ?? (left ? `all was done after ${this.#at} of ${length} steps` : undefined)
    );
  }
}
