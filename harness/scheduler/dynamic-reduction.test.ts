import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Footprint, NOTHING } from "../core/footprint.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { dependent, type StepEffects } from "./dependence.ts";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

/**
 * For each client, the object that each of its steps writes; "" for a step that starts an operation.
 * The step before a start, and the last one, ends an operation. `lock x` is blocked until all earlier
 * holders of x have reached `unlock x`.
 */
type Toy = readonly (readonly string[])[];

const objectOf = (step: string) => step.replace(/^(un)?lock /, "");

const footprint = (step: string): Footprint => ({
  step: { ...NOTHING, writes: new Set(step === "" ? [] : [objectOf(step)]) },
  held: NOTHING,
  keeps: false,
  ends: false,
  snapshot: false,
  tracked: false,
  clock: false,
});

const RETURN: Trace = [
  { type: "return", client: 0, index: 0, response: { outcome: "ok", code: "OK", body: null } },
];

const returns = (rest: readonly string[]) => (rest[0] ?? "") === "";

function walk(toy: Toy, scheduler: Scheduler, known = true): readonly Task[] {
  const left = toy.map((steps) => [...steps]);
  /** By locked object: its holder, then the tasks that wait for it. */
  const queues = new Map<string, Task[]>();
  const tasks: Task[] = [];
  const footprintOf: FootprintOf = ({ task }) =>
    known ? footprint(left[Number(task)]?.[0] ?? "") : undefined;
  for (;;) {
    const enabled = left.flatMap(([next], client): Choice[] => {
      const task = String(client);
      const waits = [...queues.values()].some((queue) => queue.indexOf(task) > 0);
      if (next === undefined || waits) return [];
      return [{ task, action: next === "" ? "start" : "release" }];
    });
    if (enabled.length === 0) return tasks;
    const { task } = scheduler.choose(enabled, tasks.at(-1), footprintOf);
    const steps = left[Number(task)] ?? [];
    const step = steps.shift() ?? "";
    const queue = queues.get(objectOf(step)) ?? [];
    if (step.startsWith("lock")) queues.set(objectOf(step), [...queue, task]);
    if (step.startsWith("unlock")) queues.set(objectOf(step), queue.slice(1));
    tasks.push(task);
    scheduler.observe?.(returns(steps) ? RETURN : [], NOTHING);
  }
}

/** The Mazurkiewicz trace of an execution: the order of its dependent steps. */
function trace(toy: Toy, tasks: readonly Task[]): string {
  const steps = tasks.map((task, position) => {
    const index = tasks.slice(0, position).filter((other) => other === task).length;
    const all = toy[Number(task)] ?? [];
    const step: StepEffects = {
      task,
      footprint: footprint(all[index] ?? ""),
      starts: all[index] === "",
      returns: returns(all.slice(index + 1)),
    };
    return { name: `${task}.${index}`, step };
  });
  const orders = steps.flatMap((a, i) =>
    steps
      .slice(i + 1)
      .filter((b) => dependent(a.step, b.step))
      .map((b) => `${a.name}<${b.name}`),
  );
  return orders.sort().join(" ");
}

function all(toy: Toy, search: Exhaustive | DynamicReduction): (readonly Task[])[] {
  const walks: (readonly Task[])[] = [];
  while (search.begin()) walks.push(walk(toy, search));
  expect(search.diverged).toBeUndefined();
  expect(search.complete).toBe(true);
  return walks;
}

const TOYS: Toy[] = [
  ["|x|y", "|y|x"],
  ["|x|x", "|x"],
  ["|x|y", "|z|z"],
  ["|x", "|y", "|x|y"],
  ["|x||y", "|y", "|z"],
  ["x|y|z", "z|y", "y|x"],
  ["|lock a|x|unlock a", "|lock a|x|unlock a"],
  ["|lock a|y|unlock a", "|x|lock a|x|unlock a", "|y"],
  ["lock a|lock b|unlock b|unlock a", "lock a|lock b|unlock b|unlock a", "b"],
].map((clients) => clients.map((steps) => steps.split("|")));

describe("the reduction", () => {
  test.each(
    TOYS.map((toy) => [toy.join(" | "), toy] as const),
  )("executes each order of dependent steps, and counts those it executes twice: %s", (_, toy) => {
    const full = all(toy, new Exhaustive());
    const search = new DynamicReduction();
    const reduced = all(toy, search);
    const traces = (walks: readonly (readonly Task[])[]) =>
      new Set(walks.map((tasks) => trace(toy, tasks)));
    expect(traces(reduced)).toEqual(traces(full));
    expect(search.executions - search.redundant).toBe(traces(full).size);
    expect(search.executions).toBe(reduced.length);
    expect(search.executions).toBeLessThan(full.length);
  });

  test("executes each order of dependent steps of generated toys", () => {
    const steps = fc.array(fc.constantFrom("", "x", "y", "lock a", "unlock a"), {
      minLength: 1,
      maxLength: 3,
    });
    const toys = fc.array(steps, { minLength: 2, maxLength: 3 });
    fc.assert(
      fc.property(toys, (toy) => {
        const search = new DynamicReduction();
        const [full, reduced] = [all(toy, new Exhaustive()), all(toy, search)].map(
          (walks) => new Set(walks.map((tasks) => trace(toy, tasks))),
        );
        expect(reduced).toEqual(full);
        expect(search.executions - search.redundant).toBe(full?.size);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("executes one order where nothing is shared, and counts what it leaves out", () => {
    const search = new DynamicReduction();
    expect(all([["x"], ["y"]], search)).toEqual([["0", "1"]]);
    expect(search).toMatchObject({ executions: 1, redundant: 0, pruned: 1 });
  });

  test("begins anew when footprints turn out to have been too small", () => {
    const search = new DynamicReduction();
    const orders: string[] = [];
    // The first execution believes that the two steps share nothing.
    for (let known = ["a", "b"]; search.begin(); known = ["x", "x"]) {
      orders.push(
        walk(
          known.map((object) => [object]),
          search,
        ).join(""),
      );
      if (known[0] === "a") search.footprintsGrew();
    }
    expect(orders.sort()).toEqual(["01", "01", "10"]);
    expect(search).toMatchObject({ executions: 3, complete: true });
  });

  test("executes every interleaving if steps are not observed", () => {
    const search = new DynamicReduction();
    const toy = [
      ["a", "b"],
      ["c", "d"],
    ];
    const seen: string[] = [];
    const silent: Scheduler = {
      begin: () => search.begin(),
      choose: (...given) => search.choose(...given),
    };
    while (search.begin()) seen.push(walk(toy, silent).join(""));
    expect(new Set(seen).size).toBe(6);
    expect(search.complete).toBe(true);
  });

  test("executes every interleaving if footprints are unknown, and if all steps are dependent", () => {
    const blind = new DynamicReduction();
    const seen: string[] = [];
    const toy = [
      ["a", "b"],
      ["c", "d"],
    ];
    while (blind.begin()) seen.push(walk(toy, blind, false).join(""));
    expect(new Set(seen).size).toBe(6);
    expect(seen).toHaveLength(6);
    const same = [
      ["x", "x"],
      ["x", "x"],
    ];
    expect(all(same, new DynamicReduction())).toHaveLength(6);
  });

  test("treats the steps of one client as dependent", () => {
    const search = new DynamicReduction();
    const orders: string[] = [];
    while (search.begin()) {
      const left: Choice[] = [
        { task: "0", action: "release" },
        { task: "0.1", action: "release" },
      ];
      const order: Task[] = [];
      while (left.length > 0) {
        const chosen = search.choose([...left], order.at(-1), () => footprint(""));
        left.splice(left.indexOf(chosen), 1);
        order.push(chosen.task);
        search.observe([], NOTHING);
      }
      orders.push(order.join(" "));
    }
    expect(orders.sort()).toEqual(["0 0.1", "0.1 0"]);
    expect(search.redundant).toBe(0);
  });

  test("reports that a prefix cannot be repeated", () => {
    const search = new DynamicReduction();
    search.begin();
    walk([["x"], ["x"]], search);
    search.begin();
    walk([["x"]], search);
    expect(search.diverged).toBe(
      "at step 0 task 1 was enabled in an earlier execution, and then was not",
    );
    while (search.begin()) walk([["x"], ["x"]], search);
    expect(search.complete).toBe(false);
  });

  test("forgets a divergence that belongs to a search which has begun anew", () => {
    const search = new DynamicReduction();
    search.begin();
    walk([["x"], ["x"]], search);
    search.begin();
    walk([["x"]], search);
    expect(search.diverged).toBeDefined();
    search.footprintsGrew();
    while (search.begin()) walk([["x"], ["x"]], search);
    expect(search).toMatchObject({ diverged: undefined, complete: true });
  });

  test("reports that an execution ends before its prefix does", () => {
    const search = new DynamicReduction();
    const toy = [
      ["x", "x"],
      ["x", "x"],
    ];
    search.begin();
    walk(toy, search);
    search.begin();
    walk([[], []], search);
    while (search.begin()) walk(toy, search);
    expect(search.diverged).toBe("an execution ended after 0 steps, before the end of its prefix");
    expect(search.complete).toBe(false);
  });
});
