import { describe, expect, test } from "vitest";
import { type Footprint, independent, NOTHING } from "../core/footprint.ts";
import type { Choice, Lane } from "../core/schedule.ts";
import { Exhaustive } from "./exhaustive.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";
import { SleepSets } from "./sleep-sets.ts";

/** For each client, the object that each of its steps changes; none for a step that starts. */
type Toy = readonly (readonly string[])[];

const footprint = (object: string): Footprint => ({
  step: { ...NOTHING, writes: new Set(object === "" ? [] : [object]) },
  held: NOTHING,
  ends: false,
  snapshot: false,
  tracked: false,
});

function walk(toy: Toy, scheduler: Scheduler, known = true): readonly Lane[] {
  const left = toy.map((steps) => [...steps]);
  const lanes: Lane[] = [];
  const footprintOf: FootprintOf = ({ lane }) =>
    known ? footprint(left[Number(lane)]?.[0] ?? "") : undefined;
  for (;;) {
    const enabled = left.flatMap(([next], client): Choice[] =>
      next === undefined
        ? []
        : [{ lane: String(client), action: next === "" ? "start" : "release" }],
    );
    if (enabled.length === 0) return lanes;
    const { lane } = scheduler.choose(enabled, lanes.at(-1), footprintOf);
    left[Number(lane)]?.shift();
    lanes.push(lane);
  }
}

/** What stays the same when independent neighbours change places: the order of dependent steps. */
function trace(toy: Toy, lanes: readonly Lane[], realTime = false): string {
  const steps = lanes.map((lane, position) => {
    const index = lanes.slice(0, position).filter((other) => other === lane).length;
    return { name: `${lane}.${index}`, lane, object: toy[Number(lane)]?.[index] ?? "" };
  });
  const orders = steps.flatMap((a, i) =>
    steps
      .slice(i + 1)
      .filter(
        (b) =>
          a.lane === b.lane ||
          !independent(footprint(a.object), footprint(b.object)) ||
          (realTime && (a.object === "") !== (b.object === "")),
      )
      .map((b) => `${a.name}<${b.name}`),
  );
  return orders.sort().join(" ");
}

function all(toy: Toy, search: Exhaustive | SleepSets): (readonly Lane[])[] {
  const walks: (readonly Lane[])[] = [];
  while (search.begin()) walks.push(walk(toy, search));
  expect(search.diverged).toBeUndefined();
  expect(search.complete).toBe(true);
  return walks;
}

const TOYS: Toy[] = [
  [
    ["", "x", "y"],
    ["", "y", "x"],
  ],
  [
    ["", "x", "x"],
    ["", "x"],
  ],
  [
    ["", "x", "y"],
    ["", "z", "z"],
  ],
  [
    ["", "x"],
    ["", "y"],
    ["", "x", "y"],
  ],
  [
    ["", "x", "", "y"],
    ["", "y"],
    ["", "z"],
  ],
];

describe("sleep sets", () => {
  test.each(
    TOYS.map((toy) => [toy.join(" | "), toy] as const),
  )("try each order of dependent steps, and none twice but for what they say: %s", (_, toy) => {
    for (const realTime of [false, true]) {
      const full = all(toy, new Exhaustive());
      const search = new SleepSets({ realTime });
      const reduced = all(toy, search);
      const traces = (walks: readonly (readonly Lane[])[]) =>
        new Set(walks.map((lanes) => trace(toy, lanes, realTime)));
      expect(traces(reduced)).toEqual(traces(full));
      expect(search.executions - search.redundant).toBe(traces(full).size);
      expect(search.executions).toBe(reduced.length);
      expect(search.executions).toBeLessThan(full.length);
    }
  });

  test("count what they leave out", () => {
    const search = new SleepSets();
    all([["x"], ["y"]], search);
    // Once 0 then 1; then 1, after which 0 sleeps.
    expect(search).toMatchObject({ executions: 2, redundant: 1, pruned: 1 });
  });

  test("try every interleaving when nothing is known, and when all is dependent", () => {
    const blind = new SleepSets();
    const seen: string[] = [];
    while (blind.begin())
      seen.push(
        walk(
          [
            ["", "x"],
            ["", "y"],
          ],
          blind,
          false,
        ).join(""),
      );
    expect(new Set(seen).size).toBe(6);
    expect(seen).toHaveLength(6);
    expect(
      all(
        [
          ["x", "x"],
          ["x", "x"],
        ],
        new SleepSets(),
      ),
    ).toHaveLength(6);
  });

  test("never let a client's own steps pass for independent", () => {
    const choices: Choice[] = [
      { lane: "0", action: "release" },
      { lane: "0.1", action: "release" },
    ];
    const search = new SleepSets();
    const firsts: Lane[] = [];
    while (search.begin()) {
      const left = [...choices];
      const order: Lane[] = [];
      while (left.length > 0) {
        const chosen = search.choose(left, order.at(-1), () => footprint(""));
        left.splice(left.indexOf(chosen), 1);
        order.push(chosen.lane);
      }
      firsts.push(order.join(" "));
    }
    expect(firsts.sort()).toEqual(["0 0.1", "0.1 0"]);
    expect(search.redundant).toBe(0);
  });

  test("notice that a prefix cannot be repeated, and that an execution ends too early", () => {
    const search = new SleepSets();
    search.begin();
    walk([["x"], ["x"]], search);
    search.begin();
    walk([["x"]], search);
    expect(search.diverged).toBe("at step 0 lane 1 could move before, and then could not");
    const ended = new SleepSets();
    ended.begin();
    walk([["x"], ["x"]], ended);
    ended.begin();
    expect(ended.begin()).toBe(false);
    expect(ended.diverged).toBe("an execution ended after 0 steps, and before it did not");
    expect(ended.complete).toBe(false);
  });

  test("cannot choose from nothing", () => {
    const search = new SleepSets();
    search.begin();
    expect(() => search.choose([], undefined)).toThrow("choose from nothing");
  });
});
