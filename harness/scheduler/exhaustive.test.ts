import { describe, expect, test } from "vitest";
import type { Task } from "../core/schedule.ts";
import { Exhaustive } from "./exhaustive.ts";
import { type StatementCounts, type Walk, walk } from "./toy.fixture.ts";

function all(toy: StatementCounts, bound: number, blocked?: Parameters<typeof walk>[2]): Walk[] {
  const search = new Exhaustive(bound);
  const walks: Walk[] = [];
  while (search.begin()) walks.push(walk(toy, search, blocked));
  expect(search.diverged).toBeUndefined();
  return walks;
}

const texts = (walks: readonly Walk[]) => walks.map(({ entries }) => entries.join(""));

/** All interleavings, by recursion. */
function interleavings(sizes: readonly number[]): string[] {
  if (sizes.every((size) => size === 0)) return [""];
  return sizes.flatMap((size, client) =>
    size === 0 ? [] : interleavings(sizes.with(client, size - 1)).map((rest) => `${client}${rest}`),
  );
}

describe("an exhaustive search", () => {
  test("without a bound executes every interleaving once", () => {
    const two = texts(all([[2], [2]], 10));
    expect(two).toHaveLength(20);
    expect(new Set(two)).toEqual(new Set(interleavings([3, 3])));
    const three = texts(all([[1], [2], [0, 1]], 10));
    expect(three).toHaveLength(560);
    expect(new Set(three)).toEqual(new Set(interleavings([2, 3, 3])));
  });

  test("begins anew where steps are choices that were none, and not for another reason", () => {
    const whole = texts(all([[2], [2]], 1));
    const search = new Exhaustive(1);
    for (let walks = 0; walks < 3; walks++) {
      search.begin();
      walk([[1], [1]], search);
    }
    search.footprintsGrew(true);
    expect(search).toMatchObject({ complete: false, completeUpTo: -1 });
    const walks: Walk[] = [];
    while (search.begin()) {
      walks.push(walk([[2], [2]], search));
      search.footprintsGrew();
    }
    expect(texts(walks)).toEqual(whole);
    expect(search).toMatchObject({ complete: true, diverged: undefined });
    expect(search.explored.reduce((sum, count) => sum + count)).toBe(whole.length);
  });

  test("with a bound of 0 executes the orders of whole operations", () => {
    expect(texts(all([[2], [2]], 0))).toEqual(["000111", "111000"]);
    expect(texts(all([[1], [1], [1]], 0))).toHaveLength(6);
    // Two operations of client 0 and one of client 1: 3 over 1.
    expect(texts(all([[1, 1], [1]], 0)).sort()).toEqual(["000011", "001100", "110000"]);
  });

  test.each([
    0, 1, 2, 3, 4,
  ])("with a bound of %i executes every interleaving with at most that many preemptions", (bound) => {
    const toy = [[2], [1, 1]];
    const expected = all(toy, 10).filter(({ preemptions }) => preemptions <= bound);
    const found = all(toy, bound);
    expect(texts(found).sort()).toEqual(texts(expected).sort());
    expect(new Set(texts(found)).size).toBe(found.length);
  });

  test("executes a known number of schedules per bound: two clients of three steps", () => {
    const count = (bound: number) => all([[2], [2]], bound).length;
    expect([0, 1, 2, 3, 4, 5].map(count)).toEqual([2, 6, 14, 18, 20, 20]);
  });

  test("does not count a switch from a blocked task as a preemption", () => {
    // Client 0 is blocked at its second step until client 1 is done.
    const blocked = (task: Task, entries: readonly Task[]) =>
      task === "0" && entries.includes("0") && entries.filter((l) => l === "1").length < 2;
    expect(texts(all([[1], [1]], 0, blocked))).toEqual(["0110", "1100"]);
  });

  test("counts its executions by preemptions, and tells when it is complete", () => {
    const search = new Exhaustive(3);
    while (search.begin()) {
      walk([[2], [2]], search);
      expect(search.diverged).toBeUndefined();
    }
    expect(search.explored).toEqual([2, 4, 8, 4]);
    expect(search.complete).toBe(true);
    expect(search.completeUpTo).toBe(3);
  });

  test("tells up to which number of preemptions it is complete", () => {
    const search = new Exhaustive(10);
    const seen: number[] = [];
    while (search.begin()) {
      walk([[2], [2]], search);
      seen.push(search.completeUpTo);
    }
    expect(seen.slice(0, 7)).toEqual([-1, 0, 0, 0, 0, 1, 1]);
    expect(seen.at(-1)).toBe(Number.POSITIVE_INFINITY);
  });

  test("begins no execution after the last one", () => {
    const search = new Exhaustive(0);
    expect(search.begin()).toBe(true);
    walk([[1]], search);
    expect(search.begin()).toBe(false);
    expect(search.begin()).toBe(false);
  });

  test("detects that a prefix cannot be repeated", () => {
    const search = new Exhaustive(0);
    search.begin();
    walk([[1], [1]], search);
    search.begin();
    walk([[1], [1]], search, (task, entries) => task === "1" && entries.length === 0);
    expect(search.diverged).toBe(
      "at step 0 task 1 was enabled in an earlier execution, and then was not",
    );
  });

  test("detects that an execution ends before its prefix does", () => {
    const search = new Exhaustive(10);
    search.begin();
    walk([[2], [2]], search);
    search.begin();
    walk([[], []], search);
    search.begin();
    expect(search.diverged).toContain("ended after 0 steps");
    expect(search.complete).toBe(false);
  });

  test("is incomplete as soon as its last execution has ended before its prefix", () => {
    const search = new Exhaustive(0);
    search.begin();
    walk([[1], [1]], search);
    search.begin();
    walk([[], []], search);
    expect(search.diverged).toContain("ended after 0 steps");
    expect(search).toMatchObject({ complete: false, completeUpTo: -1 });
    expect(search.begin()).toBe(false);
    expect(search).toMatchObject({ complete: false, completeUpTo: -1 });
  });

  test("ends although executions differ", () => {
    const search = new Exhaustive(2);
    let tried = 0;
    for (; search.begin() && tried < 1_000; tried++) walk(tried % 2 ? [[1]] : [[1], [1]], search);
    expect(tried).toBeLessThan(1_000);
    expect(search.diverged).toBeDefined();
  });

  test("fails if no task is enabled", () => {
    const search = new Exhaustive(0);
    search.begin();
    expect(() => search.choose([], undefined)).toThrow("choose from nothing");
  });
});
