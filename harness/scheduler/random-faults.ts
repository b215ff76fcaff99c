import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Fault, isFault } from "../core/fault.ts";
import type { Touched } from "../core/footprint.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { forwarded } from "./forwarded.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/** One in this many executions has a fault; one in this many of those has a second one; and so on. */
const RARITY = 4;

/** Estimates the steps of a scenario before its first execution. */
const STEPS_PER_OPERATION = 4;

/**
 * Injects faults at random into the executions of another scheduler. The faults have random numbers
 * of their own, so that the other scheduler makes the same choices as without them. It must not
 * depend on repeating an execution: an execution with a fault repeats none.
 */
export class RandomFaults implements Required<Scheduler> {
  readonly #scheduler: Required<Scheduler>;
  readonly #kinds: ReadonlySet<Fault>;
  readonly #random: ReturnType<typeof xoroshiro128plus>;
  #step = 0;
  #longest = 0;
  /** The steps at which faults are due, ascending. */
  #due: number[] = [];

  /** @param seed a 32-bit integer; it determines which of `kinds` is injected when */
  constructor(scheduler: Scheduler, kinds: readonly Fault[], seed: number) {
    this.#scheduler = forwarded(scheduler);
    this.#kinds = new Set(kinds);
    this.#random = xoroshiro128plus(~seed);
  }

  get fair(): boolean {
    return this.#scheduler.fair;
  }

  begin(scenario: Scenario): boolean {
    const operations = scenario.clients.reduce((sum, list) => sum + list.length, 0);
    this.#longest = Math.max(this.#longest, this.#step, operations * STEPS_PER_OPERATION);
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
    yielded?: readonly Task[],
  ): Choice {
    this.#step++;
    return this.#scheduler.choose(enabled, previous, footprintOf, yielded);
  }

  goesOn(choice: Choice): void {
    this.#step++;
    this.#scheduler.goesOn(choice);
  }

  observe(events: Trace, released: Touched | undefined): void {
    this.#scheduler.observe(events, released);
  }

  footprintsGrew(choices = false): void {
    this.#scheduler.footprintsGrew(choices);
  }

  delayMs(): number {
    return this.#scheduler.delayMs();
  }

  /**
   * A fault that is due is injected at the first step at which one of its kinds is possible; each
   * possible kind has the same probability. A client that has lost the response to its operation
   * sends the operation again with a probability of one half at each step.
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
    const ofKind = possible.filter(({ action }) => action === kind);
    return ofKind[this.#below(ofKind.length)];
  }

  #below(bound: number): number {
    return uniformInt(this.#random, 0, bound - 1);
  }
}
