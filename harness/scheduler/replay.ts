import type { Choice, Lane, Schedule } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Follows a schedule once. A lane that cannot move when its turn has come is passed over; when the
 * schedule has ended, whoever moved last goes on, else the first. Both are said in `diverged`: a
 * replay must not then pass for one, while shrinking only wants something close.
 */
export class Replay implements Scheduler {
  readonly #lanes: readonly Lane[];
  #at = 0;
  #begun = false;
  #diverged: string | undefined;

  constructor(schedule: Schedule) {
    this.#lanes = schedule.lanes;
  }

  begin(): boolean {
    const first = !this.#begun;
    this.#begun = true;
    return first;
  }

  choose(enabled: readonly Choice[], previous: Lane | undefined): Choice {
    while (this.#at < this.#lanes.length) {
      const at = this.#at++;
      const wanted = this.#lanes[at];
      const found = enabled.find(({ lane }) => lane === wanted);
      if (found !== undefined) return found;
      this.#diverged ??= `at step ${at} lane ${wanted} should move, but it cannot`;
    }
    this.#diverged ??= `the schedule ends after ${this.#at} steps, but somebody can still move`;
    const [first] = enabled;
    const choice = enabled.find(({ lane }) => lane === previous) ?? first;
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  /** After the execution: what first went otherwise than the schedule says, if anything did. */
  diverged(): string | undefined {
    const { length } = this.#lanes;
    const left = this.#at < length;
    return (
      this.#diverged ?? (left ? `all was done after ${this.#at} of ${length} steps` : undefined)
    );
  }
}
