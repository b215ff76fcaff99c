import { describe, expect, test } from "vitest";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import { ReducedSearch } from "./reduced-search.ts";
import { type StatementCounts, walk } from "./toy.fixture.ts";

const scenarioOf = (toy: StatementCounts) => ({ clients: toy.map(() => []) });

/** The preemptions of each execution, in order. Nothing is known of what steps touch. */
function preemptionsOf(
  toy: StatementCounts,
  search: { begin: ReducedSearch["begin"]; choose: Exhaustive["choose"] },
  most = Number.POSITIVE_INFINITY,
): readonly number[] {
  const all: number[] = [];
  while (all.length < most && search.begin(scenarioOf(toy)))
    all.push(walk(toy, search).preemptions);
  return all;
}

test("the clients run one after the other first, in each order", () => {
  const toy = [[2], [2], [2]];
  const search = new ReducedSearch();
  const orders: string[] = [];
  while (orders.length < 6 && search.begin(scenarioOf(toy)))
    orders.push(walk(toy, search).entries.join(""));
  expect(orders).toEqual([
    ...["000111222", "000222111", "111000222", "111222000", "222000111", "222111000"],
  ]);
  expect(preemptionsOf(toy, search, 4)).toEqual(preemptionsOf(toy, new DynamicReduction(), 4));
});

test("of the orders of many clients, 24 come first", () => {
  const toy = [[1], [1], [1], [1], [1]];
  const search = new ReducedSearch();
  expect(preemptionsOf(toy, search, 24)).toEqual(Array(24).fill(0));
  expect(preemptionsOf(toy, search, 4)).toEqual(preemptionsOf(toy, new DynamicReduction(), 4));
});

test("a client that waits lets the next one go on, and then takes no turn from it", () => {
  const toy = [[3], [3]];
  const search = new ReducedSearch();
  search.begin(scenarioOf(toy));
  // Client 0 waits after its second step until client 1 has taken two.
  const waits = (task: string, entries: readonly string[]) =>
    task === "0" && entries.length >= 2 && entries.filter((it) => it === "1").length < 2;
  expect(walk(toy, search, waits).entries.join("")).toBe("00111100");
});

test("the smallest scenario is then searched with reduction alone", () => {
  const search = new ReducedSearch();
  const alone = preemptionsOf([[0], [0]], new DynamicReduction());
  expect(alone).toEqual([0, 0]);
  expect(preemptionsOf([[0], [0]], search)).toEqual([0, 0, ...alone]);
  expect(search.decisive).toBeInstanceOf(DynamicReduction);
  expect(search.decisive.complete).toBe(true);
});

test("a larger one takes turns with a search that has the fewest preemptions first", () => {
  const toy = [[4], [4], [4]];
  const search = new ReducedSearch();
  const both = preemptionsOf(toy, search, 110).slice(6);
  const reduced = both.filter((_, at) => at < 4 || at % 2 === 0);
  expect(reduced).toEqual(preemptionsOf(toy, new DynamicReduction(), 54));
  const turns = both.slice(4).filter((_, at) => at % 2 === 1);
  expect(turns).toEqual(preemptionsOf(toy, new Exhaustive(), 50));
  expect(search.decisive).toMatchObject({ completeUpTo: 0, complete: false });
});

test("it ends as soon as one of the two is complete", () => {
  const toy = [[3], [3]];
  const all = preemptionsOf(toy, new Exhaustive()).length;
  const search = new ReducedSearch();
  expect(preemptionsOf(toy, search).length).toBeLessThanOrEqual(2 + 2 * all);
  expect(search.decisive.complete).toBe(true);
  expect(search.begin(scenarioOf(toy))).toBe(false);
});

test("a last execution that ends before its prefix leaves the search incomplete", () => {
  const toy = [[1], [1]];
  const all = preemptionsOf(toy, new Exhaustive()).length;
  const search = new ReducedSearch();
  let turns = 0;
  for (let executions = 0; search.begin(scenarioOf(toy)); executions++) {
    // Reduction begins anew each time: it alone is never complete.
    search.footprintsGrew();
    // After the two orders and the executions that reduction has to itself.
    const isTurn = executions > 6 && executions % 2 === 1;
    if (isTurn) turns++;
    walk(isTurn && turns === all ? [[], []] : toy, search);
  }
  expect(turns).toBe(all);
  expect(search.decisive.complete).toBe(false);
  expect(search.diverged).toContain("ended after 0 steps");
  expect(search.endsAsSample).toBe(true);
});

/** The search, for which client 9 could move at each step but for fairness. */
const besideOneThatPolls = (search: ReducedSearch) => ({
  begin: (...given: Parameters<ReducedSearch["begin"]>) => search.begin(...given),
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

test("where a client polls, a search that is not complete 300 executions after the orders ends as a sample", () => {
  const search = new ReducedSearch();
  expect(preemptionsOf([[6], [6]], besideOneThatPolls(search))).toHaveLength(302);
  expect(search.endsAsSample).toBe(true);
  expect(search.decisive.complete).toBe(false);
});

describe("where executions of the same steps differ, the search ends as a sample", () => {
  /** Client 0 has up to two statements less in two of three executions. */
  function unsteady(search: ReducedSearch, most: number): number {
    let executions = 0;
    while (executions < most && search.begin(scenarioOf([[], []])))
      walk([[6 - (executions++ % 3)], [6]], search);
    return executions;
  }

  test("300 executions after the orders", () => {
    const search = new ReducedSearch();
    expect(unsteady(search, 1_000)).toBe(302);
    expect(search.endsAsSample).toBe(true);
    expect(search.diverged).toMatch(/earlier execution|end of its prefix/);
    expect(search.decisive.complete).toBe(false);
  });

  test("or when nothing is left to try", () => {
    const search = new ReducedSearch();
    let executions = 0;
    const blocked = () => executions > 8;
    while (search.begin(scenarioOf([[], []]))) {
      executions++;
      walk([[3], [3]], search, blocked);
    }
    expect(executions).toBeLessThan(20);
    expect(search.endsAsSample).toBe(true);
    expect(search.diverged).toMatch(/earlier execution|end of its prefix/);
  });
});
