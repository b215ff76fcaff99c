import {
  type Choice,
  type Entry,
  entryOf,
  parseEntry,
  type Schedule,
  type Task,
} from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Follows a schedule once. An entry whose task is not enabled, or whose fault is not possible, is
 * skipped. After the last entry the task that moved last continues, else the first one. `diverged`
 * reports both: a replay has then failed, while shrinking accepts a similar execution.
 */
export class ReplayScheduler implements Scheduler {
  readonly fair = false;
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
    // When no task is enabled, the rest of the schedule is not skipped: `diverged` reports its length.
    const next = enabled.length > 0 ? this.#next([...enabled, ...faults]) : this.#matching(faults);
    if (next === undefined || enabled.includes(next)) return undefined;
    this.#at++;
    return next;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const scheduled = this.#next(enabled);
    if (scheduled !== undefined) {
      const { free } = parseEntry(this.#entries[this.#at++] ?? "");
      return free ? { ...scheduled, free } : scheduled;
    }
    this.#diverged ??= `the schedule ends after ${this.#at} steps, but a task is still enabled`;
    const [first] = enabled;
    const choice = enabled.find(({ task }) => task === previous) ?? first;
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  /** The first of the remaining entries that is possible; the entries before it are skipped. */
  #next(possible: readonly Choice[]): Choice | undefined {
    for (; this.#at < this.#entries.length; this.#at++) {
      const found = this.#matching(possible);
      if (found !== undefined) return found;
      const entry = this.#entries[this.#at];
      this.#diverged ??= `at step ${this.#at} task ${entry} should move, but it is not enabled`;
    }
    return undefined;
  }

  #matching(possible: readonly Choice[]): Choice | undefined {
    const entry = this.#entries[this.#at];
    if (entry === undefined) return undefined;
    const { task, free } = parseEntry(entry);
    const controlled = free ? task : entry;
    return possible.find((choice) => entryOf(choice) === controlled);
  }

  /** Whether it has followed all of its entries. */
  get isAtEnd(): boolean {
    return this.#at >= this.#entries.length;
  }

  /** How the execution first departed from the schedule; undefined: it did not. */
  diverged(): string | undefined {
    const { length } = this.#entries;
    const unfinished = this.#at < length;
    return (
      this.#diverged ??
      (unfinished
        ? `the execution ended after ${this.#at} of the schedule's ${length} steps`
        : undefined)
    );
  }
}
