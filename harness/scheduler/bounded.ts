import { type Choice, isPreemption, type Lane } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

interface Node {
  /** What may be tried here, in order. */
  readonly options: readonly Choice[];
  taken: number;
}

/**
 * Tries every schedule with at most `bound` preemptions, depth first: each execution replays the
 * choices up to the last place where another one is left, and takes that. With a bound of 0 these
 * are the orders of whole commands, one after the other.
 *
 * Preemption bounding is that of Musuvathi and Qadeer, "Iterative Context Bounding for Systematic
 * Testing of Multithreaded Programs" (PLDI 2007); beyond it, leaving a client between two of its
 * commands is free here.
 */
export class BoundedSearch implements Scheduler {
  readonly #bound: number;
  #path: Node[] = [];
  #depth = 0;
  #preemptions = 0;
  #begun = false;
  /** Set when a prefix could not be repeated: then not every schedule was tried. */
  diverged: string | undefined;

  constructor(bound: number) {
    this.#bound = bound;
  }

  begin(): boolean {
    if (this.#depth < this.#path.length) {
      this.diverged ??= `an execution ended after ${this.#depth} steps, and before it did not`;
      this.#path.length = this.#depth;
    }
    this.#depth = 0;
    this.#preemptions = 0;
    if (!this.#begun) {
      this.#begun = true;
      return true;
    }
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      if (last.taken + 1 < last.options.length) {
        last.taken++;
        return true;
      }
      this.#path.pop();
    }
    return false;
  }

  choose(enabled: readonly Choice[], previous: Lane | undefined): Choice {
    const depth = this.#depth++;
    const planned = this.#path[depth];
    const lane = planned?.options[planned.taken]?.lane;
    const choice =
      enabled.find((option) => option.lane === lane) ?? this.#expand(enabled, previous, depth);
    if (planned !== undefined && choice.lane !== lane) {
      this.diverged ??= `at step ${depth} lane ${lane} could move before, and then could not`;
    }
    if (isPreemption(previous, choice.lane, enabled)) this.#preemptions++;
    return choice;
  }

  #expand(enabled: readonly Choice[], previous: Lane | undefined, depth: number): Choice {
    const free = enabled.filter(({ lane }) => !isPreemption(previous, lane, enabled));
    const rest = enabled.filter((choice) => !free.includes(choice));
    const options = this.#preemptions < this.#bound ? [...free, ...rest] : free;
    this.#path.splice(depth, Number.POSITIVE_INFINITY, { options, taken: 0 });
    const [first] = options;
    if (first === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return first;
  }
}
