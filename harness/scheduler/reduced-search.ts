import type { Touched } from "../core/footprint.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, clientOf, type Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/**
 * The executions of a search that may have no useful end. Where a client polls, each of its looks is a step that
 * depends on all others, so that there may be more interleavings than can be executed. Where executions of the
 * same steps differ (a timeout of the application, chance), their differences add choices without end.
 */
const SAMPLE = 300;

/** The most orders of whole clients that come first: 4! for four clients. */
const ORDERS = 24;

/** The executions that reduction has to itself: the smallest scenarios need no more. */
const REDUCTION_FIRST = 4;

/**
 * Searches all interleavings of a scenario with reduction. The clients run one after the other first, in each
 * order: a violation there is no race. A search with reduction goes depth first, and so may be busy with the ends of
 * executions for long. Where it takes more than 4 executions, it takes turns with a search that has the fewest
 * preemptions first and leaves nothing out: what either of them finds is found within about twice its executions. The
 * search ends with the first of the two. Where a client polls, or executions of the same steps differ, it ends after
 * 300 executions as a sample if neither is complete by then.
 */
export class ReducedSearch implements Scheduler {
  readonly #reduction = new DynamicReduction();
  readonly #fewestFirst = new Exhaustive();
  #current: DynamicReduction | Exhaustive = this.#reduction;
  #executions = 0;
  /** The orders of the clients that are left; undefined before the first execution. */
  #orders: (readonly number[])[] | undefined;
  /** The order of the present execution, if it has one. */
  #order: readonly number[] | undefined;
  /** Whether the present search has no schedule left. */
  #exhausted = false;

  /** The search that says what was covered: with reduction if that is complete. */
  get decisive(): DynamicReduction | Exhaustive {
    return this.#reduction.complete ? this.#reduction : this.#fewestFirst;
  }

  /** How executions of the same steps differed, if they did. */
  get diverged(): string | undefined {
    return this.#reduction.diverged ?? this.#fewestFirst.diverged;
  }

  /** Whether it has ended without having explored all interleavings. */
  get endsAsSample(): boolean {
    const hasNoEnd = this.#reduction.hasYields || this.diverged !== undefined;
    return hasNoEnd && !this.decisive.complete && (this.#exhausted || this.#executions >= SAMPLE);
  }

  begin({ clients }: Pick<Scenario, "clients">): boolean {
    // A single client has one order, with which the search begins anyway.
    this.#orders ??= clients.length < 2 ? [] : ordersOf([...clients.keys()], ORDERS);
    this.#order = this.#orders.shift();
    if (this.#order !== undefined) return true;
    if (this.decisive.complete || this.endsAsSample) return false;
    const turn = Math.max(this.#executions - REDUCTION_FIRST, 0);
    const reduces = turn % 2 === 0 && this.#reduction.diverged === undefined;
    this.#current = reduces ? this.#reduction : this.#fewestFirst;
    const begun =
      this.#current.begin() ||
      // Only now a search with reduction knows that its last execution was too short.
      (reduces && this.#reduction.diverged !== undefined && this.#beginOther());
    if (begun) this.#executions++;
    else this.#exhausted = true;
    return begun;
  }

  #beginOther(): boolean {
    this.#current = this.#fewestFirst;
    return this.#current.begin();
  }

  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf?: FootprintOf,
    yielded?: readonly Task[],
  ): Choice {
    if (this.#order !== undefined) return nextInOrder(this.#order, enabled, previous);
    return this.#current.choose(enabled, previous, footprintOf, yielded);
  }

  observe(events: Trace, released: Touched | undefined): void {
    if (this.#order === undefined && this.#current === this.#reduction)
      this.#reduction.observe(events, released);
  }

  /**
   * The search with reduction has left steps out that depend on a statement that was not seen before: it begins
   * anew, whichever search has seen the statement. The other one does so if it has more choices now.
   */
  footprintsGrew(choices = false): void {
    this.#reduction.footprintsGrew();
    this.#fewestFirst.footprintsGrew(choices);
  }
}

/** At most so many orders of these clients, the given one first. */
function ordersOf(clients: readonly number[], most: number): (readonly number[])[] {
  if (clients.length === 0) return [[]];
  const orders: (readonly number[])[] = [];
  for (const first of clients) {
    const others = clients.filter((client) => client !== first);
    for (const rest of ordersOf(others, most - orders.length)) orders.push([first, ...rest]);
    if (orders.length >= most) break;
  }
  return orders;
}

/** The client that moved last goes on while it can; then it is the turn of the first in the order that can. */
function nextInOrder(
  order: readonly number[],
  enabled: readonly Choice[],
  previous: Task | undefined,
): Choice {
  const turns = previous === undefined ? order : [clientOf(previous), ...order];
  for (const client of turns) {
    const choice = enabled.find(({ task }) => clientOf(task) === client);
    if (choice !== undefined) return choice;
  }
  const [background] = enabled;
  if (background === undefined) throw new Error("a scheduler was asked to choose from nothing");
  return background;
}
