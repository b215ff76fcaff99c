import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Choice } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Chooses uniformly among those that can move: a random walk, the plain baseline. */
export class RandomWalk implements Scheduler {
  readonly #random: ReturnType<typeof xoroshiro128plus>;

  /** `seed`, a 32-bit integer, determines all walks. */
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
