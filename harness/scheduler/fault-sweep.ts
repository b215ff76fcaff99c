import type { Fault } from "../core/fault.ts";
import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Tries a fault at each place, one after the other, at which it can strike while clients send their
 * operations in turn. In each execution it strikes once.
 */
export class FaultSweep implements Scheduler {
  readonly #kind: Fault;
  /** The places that were tried before. */
  #tried = -1;
  /** Those that are left to be passed over. */
  #left = 0;
  #struck = true;

  constructor(kind: Fault) {
    this.#kind = kind;
  }

  begin(): boolean {
    if (!this.#struck) return false;
    this.#struck = false;
    this.#tried++;
    this.#left = this.#tried;
    return true;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice =
      enabled.find(({ task }) => task === previous) ??
      enabled.find(({ task }) => !isPreemption(previous, task, enabled));
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  inject(faults: readonly Choice[]): Choice | undefined {
    if (this.#struck) return undefined;
    const possible = faults.filter(({ action }) => action === this.#kind);
    const fault = possible[this.#left];
    this.#left -= possible.length;
    this.#struck = fault !== undefined;
    return fault;
  }
}
