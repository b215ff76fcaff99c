import type { Fault } from "../core/fault.ts";
import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** A fault of this kind, at the place of this number among all places for the kind. */
interface Injection {
  readonly kind: Fault;
  readonly place: number;
}

/**
 * Injects each kind of fault at each place where it is possible, one per execution, while the clients
 * send their operations one after the other. The first execution has no fault: it counts the places.
 */
export class FaultSweep implements Scheduler {
  readonly #kinds: readonly Fault[];
  /** The number of places of each kind, counted in the first execution. */
  readonly #places = new Map<Fault, number>();
  /** The injections that are left; undefined before the first execution is over. */
  #left: Injection[] | undefined;
  #executions = 0;
  #next: Injection | undefined;
  /** How many places for the present kind were passed in this execution. */
  #passed = 0;

  constructor(kinds: readonly Fault[]) {
    this.#kinds = kinds;
  }

  begin(): boolean {
    this.#executions++;
    if (this.#executions === 1) return true;
    this.#left ??= [...this.#places].flatMap(([kind, places]) =>
      Array.from({ length: places }, (_, place) => ({ kind, place })),
    );
    this.#next = this.#left.shift();
    this.#passed = 0;
    return this.#next !== undefined;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice =
      enabled.find(({ task }) => task === previous) ??
      enabled.find(({ task }) => !isPreemption(previous, task, enabled));
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }

  inject(faults: readonly Choice[]): Choice | undefined {
    if (this.#executions === 1) {
      for (const kind of this.#kinds) {
        const possible = faults.filter(({ action }) => action === kind).length;
        this.#places.set(kind, (this.#places.get(kind) ?? 0) + possible);
      }
    }
    const next = this.#next;
    if (next === undefined) return undefined;
    const possible = faults.filter(({ action }) => action === next.kind);
    const fault = possible[next.place - this.#passed];
    this.#passed += possible.length;
    if (fault !== undefined) this.#next = undefined;
    return fault;
  }
}
