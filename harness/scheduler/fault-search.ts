import { type Fault, isFault } from "../core/fault.ts";
import type { Choice, Task } from "../core/schedule.ts";
import { Exhaustive, withoutPreemption } from "./exhaustive.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/** A fault at a place of a schedule of the search. */
interface Injection {
  readonly path: readonly Task[];
  /** The number of steps before the fault. */
  readonly at: number;
  readonly fault: Choice;
  /** Whether the client sends its operation again afterwards. */
  readonly retries: boolean;
}

/** A scheduler that knows whether it has executed all of its schedules. */
interface Search extends Scheduler {
  begin(): boolean;
  readonly complete: boolean;
}

/** Executes one schedule: the clients send their operations one after the other. */
export class OneSchedule implements Search {
  complete = false;

  begin(): boolean {
    const first = !this.complete;
    this.complete = true;
    return first;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    return withoutPreemption(enabled, previous);
  }
}

/** Which injections of a search are executed, by their numbers from 0. */
interface InjectionRange {
  readonly from: number;
  /** The number of the first one that is left out. */
  readonly to: number;
}

const ALL: InjectionRange = { from: 0, to: Number.POSITIVE_INFINITY };

/**
 * Executes every schedule of a search without faults, and then each fault at each place of these
 * schedules, one in each execution. A place is a state that a fault is possible in: schedules that
 * begin with the same steps share it. After the fault the execution follows the rest of the schedule
 * as far as that is possible. Where a client can send its operation again after the fault, the next
 * execution does so.
 *
 * The kinds of faults take turns: the first place of each kind, then the second of each, and so on. A
 * search that a limit cuts off has injected each kind, as far as the limit allows.
 */
export class FaultSearch implements Scheduler {
  readonly search: Search;
  /** The number of injected faults, retries that follow another fault left out. */
  injected = 0;
  readonly #kinds: ReadonlySet<Fault>;
  readonly #range: InjectionRange;
  /** The places of each kind, in the order in which the search reached them. */
  readonly #found = new Map<Choice["action"], Injection[]>();
  /** The injections that are left, the next one last; undefined during the search. */
  #left: Injection[] | undefined;
  /** States of the search whose places are known, as paths. */
  readonly #seen = new Set<string>();
  /** What the present execution injects; undefined during the search. */
  #injection: Injection | undefined;
  #state: "before" | "injected" | "retried" = "before";
  #path: Task[] = [];
  /** Places in `#path` of the present execution, which is a schedule when it ends. */
  #places: { readonly at: number; readonly fault: Choice }[] = [];
  /** How many steps of the injection's path were followed. */
  #followed = 0;
  #diverged: string | undefined;

  /** @param range the injections that are executed; other searches of the scenario execute the others */
  constructor(kinds: readonly Fault[], search: Search = new Exhaustive(), range = ALL) {
    this.#kinds = new Set(kinds);
    this.search = search;
    this.#range = range;
  }

  /** Whether every schedule within the bound, and each fault of the range, was executed. */
  get complete(): boolean {
    const isDone = this.search.complete && this.diverged === undefined;
    return isDone && this.#injections().length === 0;
  }

  /**
   * Why a fault is missing, if an execution did not come to its place. To be asked between two executions, as
   * `complete` is.
   */
  get diverged(): string | undefined {
    const injection = this.#injection;
    if (this.#diverged !== undefined || injection === undefined) return this.#diverged;
    const { at, fault, retries } = injection;
    if (retries ? this.#state === "retried" : this.#state !== "before") return undefined;
    const what = retries ? `a retry after ${fault.action}` : fault.action;
    return `at step ${at} ${what} was possible for task ${fault.task} in an earlier execution, and then was not`;
  }

  begin(): boolean {
    this.#diverged = this.diverged;
    this.#addPlaces();
    this.#path = [];
    this.#state = "before";
    this.#followed = 0;
    if (this.#left === undefined && this.search.begin()) return true;
    this.#injection = this.#injections().pop();
    return this.#injection !== undefined;
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf?: FootprintOf,
    yielded?: readonly Task[],
  ): Choice {
    const choice =
      this.#injection === undefined
        ? this.search.choose(enabled, previous, footprintOf, yielded)
        : this.#follow(this.#injection, enabled, previous);
    this.#path.push(choice.task);
    return choice;
  }

  goesOn({ task }: Choice): void {
    if (this.#injection?.path[this.#followed] === task) this.#followed++;
    this.#path.push(task);
  }

  footprintsGrew(choices = false): void {
    if (this.#left === undefined) this.search.footprintsGrew?.(choices);
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
    this.#left?.push({ ...injection, retries: true });
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
  #addPlaces(): void {
    const path = this.#path;
    for (const place of this.#places) {
      const { action } = place.fault;
      const ofKind = this.#found.get(action) ?? [];
      this.#found.set(action, ofKind);
      ofKind.push({ ...place, path, retries: false });
    }
    this.#places = [];
  }

  /** Those of the range that are left, once the search is over. */
  #injections(): Injection[] {
    this.#addPlaces();
    const { from, to } = this.#range;
    this.#left ??= takingTurns([...this.#kinds].map((kind) => this.#found.get(kind) ?? []))
      .slice(from, to)
      .reverse();
    return this.#left;
  }

  /** The next task of the path that can move; else continues without preemption. */
  #follow({ path }: Injection, enabled: readonly Choice[], previous: Task | undefined): Choice {
    while (this.#followed < path.length) {
      const task = path[this.#followed++];
      const choice = enabled.find((option) => option.task === task);
      if (choice !== undefined) return choice;
    }
    return withoutPreemption(enabled, previous);
  }
}

/** The first element of each list, then the second of each, and so on. */
function takingTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = lists.reduce((most, { length }) => Math.max(most, length), 0);
  return Array.from({ length: longest }, (_, at) =>
    lists.flatMap((list) => list.slice(at, at + 1)),
  ).flat();
}
