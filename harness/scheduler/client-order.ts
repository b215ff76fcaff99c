import { type Choice, clientOf } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Executes whole operations one after the other. `order` names, for each operation, the client that
 * sends it.
 */
export class ClientOrder implements Scheduler {
  readonly fair = false;
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

  /** An operation under way is finished before the next client starts one. */
  choose(enabled: readonly Choice[]): Choice {
    const underWay = enabled.find(({ action }) => action !== "start");
    if (underWay !== undefined) return underWay;
    const client = this.#order[this.#started++];
    const next = enabled.find(({ task }) => clientOf(task) === client) ?? enabled[0];
    if (next === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return next;
  }
}
