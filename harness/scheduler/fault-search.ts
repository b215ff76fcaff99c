import { type Fault, isFault } from "../core/fault.ts";
import { type Choice, isPreemption, type Task } from "../core/schedule.ts";
import { Exhaustive } from "./exhaustive.ts";
import type { Scheduler } from "./scheduler.ts";

/** A fault at a place of a schedule of the search. */
interface Injection {
  readonly path: readonly Task[];
  /** The number of steps before the fault. */
  readonly at: number;
  readonly fault: Choice;
  /** Whether the client sends its operation again afterwards. */
  readonly retries: boolean;
}

/**
 * Executes every schedule of a scenario without faults, and then each fault at each place of these
 * schedules, one in each execution. A place is a state that a fault is possible in: schedules that
 * begin with the same steps share it. After the fault the execution follows the rest of the schedule
 * as far as that is possible. Where a client can send its operation again after the fault, a further
 * execution does so.
 */
export class FaultSearch implements Scheduler {
  readonly search: Exhaustive;
  /** The number of injected faults, retries that follow another fault left out. */
  injected = 0;
  readonly #kinds: ReadonlySet<Fault>;
  readonly #queued: Injection[] = [];
  /** The first of `#queued` that was not executed. */
  #next = 0;
  /** States of the search whose faults are queued, as paths. */
  readonly #seen = new Set<string>();
  /** What the present execution injects; undefined during the search. */
  #injection: Injection | undefined;
  #state: "before" | "injected" | "retried" = "before";
  #path: Task[] = [];
  /** Places in `#path` of the present execution, for the injections that are queued when it ends. */
  #places: { readonly at: number; readonly fault: Choice }[] = [];
  /** How many steps of the injection's path were followed. */
  #followed = 0;

  constructor(kinds: readonly Fault[], search = new Exhaustive()) {
    this.#kinds = new Set(kinds);
    this.search = search;
  }

  /** Whether every schedule within the bound, and each fault at each of their places, was executed. */
  get complete(): boolean {
    this.#queuePlaces();
    return this.search.complete && this.#next === this.#queued.length;
  }

  begin(): boolean {
    this.#queuePlaces();
    this.#path = [];
    this.#state = "before";
    this.#followed = 0;
    if (this.#injection === undefined && this.search.begin()) return true;
    this.#injection = this.#queued[this.#next];
    if (this.#injection === undefined) return false;
    this.#next++;
    return true;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice =
      this.#injection === undefined
        ? this.search.choose(enabled, previous)
        : this.#follow(this.#injection, enabled, previous);
    this.#path.push(choice.task);
    return choice;
  }

  inject(faults: readonly Choice[]): Choice | undefined {
    const possible = faults.filter(({ action }) => isFault(action) && this.#kinds.has(action));
    const injection = this.#injection;
    if (injection === undefined) {
      this.#note(possible);
      return undefined;
    }
    if (this.#state === "before") {
      if (this.#path.length !== injection.at) return undefined;
      const fault = possible.find(
        ({ task, action }) => task === injection.fault.task && action === injection.fault.action,
      );
      if (fault === undefined) return undefined;
      this.#state = "injected";
      if (!injection.retries) this.injected++;
      return fault;
    }
    const retry = possible.find(({ action }) => action === "retry");
    if (retry === undefined || this.#state === "retried") return undefined;
    this.#state = "retried";
    if (injection.retries) return retry;
    this.#queued.push({ ...injection, retries: true });
    return undefined;
  }

  #note(possible: readonly Choice[]): void {
    if (possible.length === 0) return;
    const state = this.#path.join(" ");
    if (this.#seen.has(state)) return;
    this.#seen.add(state);
    for (const fault of possible) this.#places.push({ at: this.#path.length, fault });
  }

  /** An injection follows the path of its execution, which is known when that is over. */
  #queuePlaces(): void {
    const path = this.#path;
    for (const place of this.#places) this.#queued.push({ ...place, path, retries: false });
    this.#places = [];
  }

  /** The next task of the path that can move; else continues without preemption. */
  #follow({ path }: Injection, enabled: readonly Choice[], previous: Task | undefined): Choice {
    while (this.#followed < path.length) {
      const task = path[this.#followed++];
      const choice = enabled.find((option) => option.task === task);
      if (choice !== undefined) return choice;
    }
    const choice =
      enabled.find(({ task }) => task === previous) ??
      enabled.find(({ task }) => !isPreemption(previous, task, enabled));
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }
}
