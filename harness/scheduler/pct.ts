import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, clientOf } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Estimates the steps of a scenario before its first execution. */
const STEPS_PER_OPERATION = 4;

/**
 * Probabilistic concurrency testing. Each client has a random priority, and the enabled client with
 * the highest one moves. At `depth - 1` random steps the priority of the client that would move drops
 * below all others. One execution hits a bug that needs `depth` ordering constraints with a
 * probability of at least 1 / (n · k^(depth - 1)), for n clients and k steps.
 *
 * Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs" (ASPLOS 2010). The number of steps is not known beforehand:
 * the largest number that an execution of the scenario has had is used. The bound does not hold for an
 * execution with more steps than that.
 */
export class Pct implements Scheduler {
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  readonly #depth: number;
  /** The number of steps that the priority changes are spread over. */
  #steps = 0;
  /** The largest `#steps` of the executions before for which the bound holds. */
  #boundedSteps = 0;
  #step = 0;
  /** By client, the background last; the highest moves first. */
  #priorities: number[] = [];
  #changes = new Map<number, number>();

  /**
   * @param seed a 32-bit integer; it determines all executions
   * @param depth the number of ordering constraints of the bugs it aims at
   */
  constructor(seed: number, depth: number) {
    this.#random = xoroshiro128plus(seed);
    this.#depth = depth;
  }

  begin({ clients }: Scenario): boolean {
    const operations = clients.reduce((sum, list) => sum + list.length, 0);
    this.#boundedSteps = this.boundedSteps;
    this.#steps = Math.max(this.#steps, this.#step, operations * STEPS_PER_OPERATION);
    this.#step = 0;
    this.#priorities = this.#shuffled(clients.length + 1).map((rank) => rank + this.#depth);
    this.#changes = new Map();
    for (let priority = 1; priority < this.#depth; priority++) {
      this.#changes.set(uniformInt(this.#random, 0, this.#steps - 1), priority);
    }
    return true;
  }

  /** The largest k of an execution for which the bound holds; 0 if it holds for none. */
  get boundedSteps(): number {
    const holds = this.#step > 0 && this.#step <= this.#steps;
    return Math.max(this.#boundedSteps, holds ? this.#steps : 0);
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

  /** The numbers from 0 to `size - 1` in a random order (Fisher and Yates). */
  #shuffled(size: number): number[] {
    const order = Array.from({ length: size }, (_, index) => index);
    for (let last = size - 1; last > 0; last--) {
      const other = uniformInt(this.#random, 0, last);
      [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
    }
    return order;
  }
}

/** The least probability with which one execution hits a bug of this depth. */
export function pctBound(clients: number, steps: number, depth: number): number {
  return 1 / (clients * steps ** (depth - 1));
}
