import { type Choice, clientOf } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Runs whole operations, one after the other, in a given order of the clients that send them. */
export class ClientOrder implements Scheduler {
  readonly #order: readonly number[];
  #begun = false;
  #started = 0;

  constructor(order: readonly number[]) {
    this.#order = order;
  }

  begin(): boolean {
    const first = !this.#begun;
    this.#begun = true;
    return first;
  }

  /** Whoever is in the middle of a operation goes on; then the next one begins. */
  choose(enabled: readonly Choice[]): Choice {
    const going = enabled.find(({ action }) => action !== "start");
    if (going !== undefined) return going;
    const client = this.#order[this.#started++];
    const next = enabled.find(({ task }) => clientOf(task) === client) ?? enabled[0];
    if (next === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return next;
  }
}
