import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, clientOf } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Steps of a scenario that was not executed yet: a guess, replaced by what is seen. */
const STEPS_PER_COMMAND = 4;

/**
 * Probabilistic concurrency testing: each client has a random priority, and whoever can move and
 * has the highest one moves; at `depth - 1` random steps the priority of whoever would move drops
 * below all others. A bug that needs `depth` ordering constraints is hit by one execution with a
 * probability of at least 1 / (n · k^(depth - 1)), for n clients and k steps.
 *
 * Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs" (ASPLOS 2010). The number of steps is not known beforehand; it is
 * taken to be the largest that an execution of the scenario has had.
 */
export class Pct implements Scheduler {
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  readonly #depth: number;
  /** The most steps that an execution was taken to have. */
  steps = 0;
  #step = 0;
  /** By client, the background last; higher goes first. */
  #priorities: number[] = [];
  #changes = new Map<number, number>();

  /** `seed`, a 32-bit integer, determines all executions. */
  constructor(seed: number, depth: number) {
    this.#random = xoroshiro128plus(seed);
    this.#depth = depth;
  }

  begin({ clients }: Scenario): boolean {
    const operations = clients.reduce((sum, list) => sum + list.length, 0);
    this.steps = Math.max(this.steps, this.#step, operations * STEPS_PER_COMMAND);
    this.#step = 0;
    this.#priorities = this.#shuffled(clients.length + 1).map((rank) => rank + this.#depth);
    this.#changes = new Map();
    for (let priority = 1; priority < this.#depth; priority++) {
      this.#changes.set(uniformInt(this.#random, 0, this.steps - 1), priority);
    }
    return true;
  }

  choose(enabled: readonly Choice[]): Choice {
    const drop = this.#changes.get(this.#step++);
    if (drop !== undefined) this.#priorities[this.#index(this.#highest(enabled))] = drop;
    return this.#highest(enabled);
  }

  #highest(enabled: readonly Choice[]): Choice {
    const [first, ...others] = enabled;
    if (first === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return others.reduce(
      (best, other) => (this.#rank(other) > this.#rank(best) ? other : best),
      first,
    );
  }

  #rank(choice: Choice): number {
    return this.#priorities[this.#index(choice)] ?? 0;
  }

  #index({ task }: Choice): number {
    const client = clientOf(task);
    return client < 0 ? this.#priorities.length - 1 : client;
  }

  /** 0 to `size - 1` in a random order (Fisher and Yates). */
  #shuffled(size: number): number[] {
    const order = Array.from({ length: size }, (_, index) => index);
    for (let last = size - 1; last > 0; last--) {
      const other = uniformInt(this.#random, 0, last);
      [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
    }
    return order;
  }
}

/** The least probability with which one execution hits a bug of that depth. */
export function pctBound(clients: number, steps: number, depth: number): number {
  return 1 / (clients * steps ** (depth - 1));
}
