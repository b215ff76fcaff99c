import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Choice, type Entry, freeEntry, type Schedule, type Task } from "../core/schedule.ts";
import { ReplayScheduler } from "./replay.ts";
import type { Scheduler } from "./scheduler.ts";

/** The longest delay between two steps that run at the same time, in ms. */
const MOST_MS = 2;

/** The part of the delays that are none: what no gate can separate takes microseconds. */
const AT_ONCE = 0.9;

/**
 * Follows a schedule whose steps may run at the same time, and then chooses at random. The seed determines
 * delays and choices, not what they lead to.
 */
export class FreeSteps implements Scheduler {
  readonly fair = false;
  readonly #schedule: ReplayScheduler;
  readonly #random: ReturnType<typeof xoroshiro128plus>;

  constructor(schedule: Schedule, seed: number) {
    this.#schedule = new ReplayScheduler(schedule);
    this.#random = xoroshiro128plus(seed);
  }

  /** Lets tasks run freely, in a random order, after the given steps. */
  static after(entries: readonly Entry[], tasks: readonly Task[], seed: number): FreeSteps {
    const random = xoroshiro128plus(seed);
    const left = [...tasks];
    const order: Task[] = [];
    while (left.length > 0) order.push(...left.splice(uniformInt(random, 0, left.length - 1), 1));
    const free = order.map((task, at) => (at < order.length - 1 ? freeEntry(task) : task));
    return new FreeSteps({ version: 1, entries: [...entries, ...free] }, seed);
  }

  begin(): boolean {
    return this.#schedule.begin();
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    if (!this.#schedule.isAtEnd) return this.#schedule.choose(enabled, previous);
    const choice = enabled[uniformInt(this.#random, 0, enabled.length - 1)];
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  delayMs(): number {
    const drawn = uniformFloat64(this.#random);
    return drawn < AT_ONCE ? 0 : ((drawn - AT_ONCE) / (1 - AT_ONCE)) * MOST_MS;
  }
}
