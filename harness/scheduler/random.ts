import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Choice } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** A random walk: each enabled task is chosen with the same probability. */
export class RandomWalk implements Scheduler {
  readonly #random: ReturnType<typeof xoroshiro128plus>;

  /** @param seed a 32-bit integer; it determines all walks */
  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
  }

  begin(): boolean {
    return true;
  }

  choose(enabled: readonly Choice[]): Choice {
    const choice = enabled[uniformInt(this.#random, 0, enabled.length - 1)];
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }
}
