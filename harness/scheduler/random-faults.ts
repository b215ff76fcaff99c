import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Fault, isFault } from "../core/fault.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/** One execution in so many has a fault; of those, one in so many has another one, and so on. */
const RARITY = 4;

/** Steps of a scenario that was not executed yet: a guess, replaced by what is seen. */
const STEPS_PER_COMMAND = 4;

/**
 * Lets faults strike now and then, and leaves the choices to another scheduler. When they strike
 * comes from random numbers of their own: what the other scheduler does without faults, it does.
 * That one has to choose by what is enabled alone, since no execution with faults repeats another.
 */
export class RandomFaults implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly #kinds: ReadonlySet<Fault>;
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  #step = 0;
  #longest = 0;
  /** The steps at which faults are due. */
  #due: number[] = [];

  /** `seed`, a 32-bit integer, determines when which of `kinds` strikes. */
  constructor(scheduler: Scheduler, kinds: readonly Fault[], seed: number) {
    this.#scheduler = scheduler;
    this.#kinds = new Set(kinds);
    this.#random = xoroshiro128plus(~seed);
  }

  begin(scenario: Scenario): boolean {
    const operations = scenario.clients.reduce((sum, list) => sum + list.length, 0);
    this.#longest = Math.max(this.#longest, this.#step, operations * STEPS_PER_COMMAND);
    this.#step = 0;
    this.#due = [];
    while (this.#below(RARITY) === 0) this.#due.push(this.#below(this.#longest));
    this.#due.sort((a, b) => a - b);
    return this.#scheduler.begin(scenario);
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf?: FootprintOf,
  ): Choice {
    this.#step++;
    return this.#scheduler.choose(enabled, previous, footprintOf);
  }

  /**
   * One that is due strikes as soon as it can. Each kind that can is as likely as the others. A
   * client that does not know what became of its operation mostly sends it again, sooner or later.
   */
  inject(faults: readonly Choice[]): Choice | undefined {
    const retry = faults.find(({ action }) => action === "retry");
    if (retry !== undefined && this.#kinds.has("retry") && this.#below(2) === 0) return retry;
    const [due] = this.#due;
    if (due === undefined || due > this.#step) return undefined;
    const possible = faults.filter(
      ({ action }) => isFault(action) && action !== "retry" && this.#kinds.has(action),
    );
    const kinds = [...new Set(possible.map(({ action }) => action))];
    if (kinds.length === 0) return undefined;
    this.#due.shift();
    const kind = kinds[this.#below(kinds.length)];
    const those = possible.filter(({ action }) => action === kind);
    return those[this.#below(those.length)];
  }

  #below(bound: number): number {
    return uniformInt(this.#random, 0, bound - 1);
  }
}
