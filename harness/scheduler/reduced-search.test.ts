import { describe, expect, test } from "vitest";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import { ReducedSearch } from "./reduced-search.ts";
import { type StatementCounts, walk } from "./toy.fixture.ts";

/** The preemptions of each execution, in order. Nothing is known of what steps touch. */
function preemptionsOf(
  toy: StatementCounts,
  search: { begin(): boolean; choose: Exhaustive["choose"] },
  most = Number.POSITIVE_INFINITY,
): readonly number[] {
  const all: number[] = [];
  while (all.length < most && search.begin()) all.push(walk(toy, search).preemptions);
  return all;
}

test("the smallest scenario has no more than its orders", () => {
  const search = new ReducedSearch();
  expect(preemptionsOf([[0], [0]], search)).toEqual([0, 0]);
  expect(search.decisive.complete).toBe(true);
});

test("the clients run one after the other first, in each order, and at most 24 times", () => {
  expect(preemptionsOf([[4], [4], [4]], new ReducedSearch(), 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  const orders = new Set<string>();
  const search = new ReducedSearch();
  const five = [[2], [2], [2], [2], [2]];
  for (let execution = 0; execution < 24 && search.begin(); execution++) {
    const { entries, preemptions } = walk(five, search);
    expect(preemptions).toBe(0);
    orders.add(entries.join());
  }
  expect(orders.size).toBe(24);
  // Of the 120 orders, the others have their turns.
  expect(preemptionsOf(five, search, 4)).toEqual(preemptionsOf(five, new DynamicReduction(), 4));
});

test("a larger one takes turns with a search that has the fewest preemptions first", () => {
  const toy = [[4], [4], [4]];
  const search = new ReducedSearch();
  const [orders, both] = [preemptionsOf(toy, search, 6), preemptionsOf(toy, search, 104)];
  const reduced = both.filter((_, at) => at < 4 || at % 2 === 0);
  expect(reduced).toEqual(preemptionsOf(toy, new DynamicReduction(), 54));
  const turns = both.slice(4).filter((_, at) => at % 2 === 1);
  expect([...orders, ...turns]).toEqual(preemptionsOf(toy, new Exhaustive(), 56));
  expect(search.decisive).toMatchObject({ completeUpTo: 0, complete: false });
});

test("it ends as soon as one of the two is complete", () => {
  const toy = [[3], [3]];
  const all = preemptionsOf(toy, new Exhaustive()).length;
  const search = new ReducedSearch();
  expect(preemptionsOf(toy, search).length).toBeLessThanOrEqual(2 * all);
  expect(search.decisive.complete).toBe(true);
  expect(search.begin()).toBe(false);
});

/** The search, for which client 9 could move at each step but for fairness. */
const besideOneThatPolls = (search: ReducedSearch) => ({
  begin: () => search.begin(),
  choose: (...[enabled, previous]: Parameters<Exhaustive["choose"]>) =>
    search.choose(enabled, previous, undefined, ["9"]),
});

test("where a client polls, a complete search has covered fair schedules", () => {
  const search = new ReducedSearch();
  preemptionsOf([[3], [3]], besideOneThatPolls(search));
  expect(search.decisive).toMatchObject({ complete: true, hasYields: true });
  expect(search.endsAsSample).toBe(false);
});

test("reduction begins anew, whichever of the two has shown that footprints were too small", () => {
  const toy = [[4], [4], [4]];
  const search = new ReducedSearch();
  // The orders, and six executions more.
  preemptionsOf(toy, search, 12);
  search.footprintsGrew();
  const reduced = preemptionsOf(toy, search, 8).filter((_, at) => at % 2 === 0);
  expect(reduced).toEqual(preemptionsOf(toy, new DynamicReduction(), 4));
});

test("where a client polls, a search that is not complete after 300 executions ends as a sample", () => {
  const search = new ReducedSearch();
  expect(preemptionsOf([[6], [6]], besideOneThatPolls(search))).toHaveLength(300);
  expect(search.endsAsSample).toBe(true);
  expect(search.decisive.complete).toBe(false);
});

describe("where executions of the same steps differ, the search ends as a sample", () => {
  /** Client 0 has up to two statements less in two of three executions. */
  function unsteady(search: ReducedSearch, most: number): number {
    let executions = 0;
    while (executions < most && search.begin()) walk([[6 - (executions++ % 3)], [6]], search);
    return executions;
  }

  test("after 300 executions", () => {
    const search = new ReducedSearch();
    expect(unsteady(search, 1_000)).toBe(300);
    expect(search.endsAsSample).toBe(true);
    expect(search.diverged).toMatch(/earlier execution|end of its prefix/);
    expect(search.decisive.complete).toBe(false);
  });

  test("or when nothing is left to try", () => {
    const search = new ReducedSearch();
    let executions = 0;
    const blocked = () => executions > 8;
    while (search.begin()) {
      executions++;
      walk([[3], [3]], search, blocked);
    }
    expect(executions).toBeLessThan(20);
    expect(search.endsAsSample).toBe(true);
    expect(search.diverged).toMatch(/earlier execution|end of its prefix/);
  });
});
