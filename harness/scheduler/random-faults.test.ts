import { describe, expect, test } from "vitest";
import type { Fault } from "../core/fault.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice } from "../core/schedule.ts";
import { RandomWalk } from "./random.ts";
import { RandomFaults } from "./random-faults.ts";
import { walk } from "./toy.fixture.ts";

const TOY = [[2], [2]];
const SCENARIO: Scenario = { initial: null, clients: [[{ name: "a" }], [{ name: "b" }]] };

/** The faults injected in one execution of six steps, each with these faults possible. */
function injected(faulty: RandomFaults, possible: readonly Choice[]): (string | undefined)[] {
  faulty.begin(SCENARIO);
  return Array.from({ length: 6 }, () => {
    const fault = faulty.inject(possible);
    faulty.choose([{ task: "0", action: "start" }], undefined);
    return fault && `${fault.task}!${fault.action}`;
  });
}

const ON_BOTH = (["cut-before", "cut-after"] as const).flatMap((action): Choice[] => [
  { task: "0", action },
  { task: "1", action },
]);

const faulty = (seed: number, ...kinds: Fault[]) =>
  new RandomFaults(new RandomWalk(seed), kinds, seed);

describe("faults at random", () => {
  test("are rare, and occur at every step and in every task", () => {
    const one = faulty(1, "cut-before", "cut-after");
    const runs = Array.from({ length: 400 }, () => injected(one, ON_BOTH));
    const faultyRuns = runs.filter((run) => run.some((fault) => fault !== undefined));
    expect(faultyRuns.length).toBeGreaterThan(60);
    expect(faultyRuns.length).toBeLessThan(140);
    const seen = faultyRuns.flatMap((run) => run.filter((fault) => fault !== undefined));
    expect(new Set(seen)).toEqual(
      new Set(["0!cut-before", "1!cut-before", "0!cut-after", "1!cut-after"]),
    );
    const steps = new Set(faultyRuns.map((run) => run.findIndex((fault) => fault !== undefined)));
    expect([...steps].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("have only the given kinds, and wait until one is possible", () => {
    const one = faulty(2, "cut-after");
    const seen = Array.from({ length: 200 }, () => injected(one, ON_BOTH)).flat();
    expect(seen).not.toContain("0!cut-before");
    expect(seen).toContain("0!cut-after");
    expect(injected(faulty(2, "cancel"), ON_BOTH)).toEqual(Array(6).fill(undefined));
  });

  test("make a client retry a lost operation, whether a fault is due or not", () => {
    const one = faulty(4, "retry");
    const retry: Choice[] = [{ task: "1", action: "retry" }];
    const first = Array.from({ length: 200 }, () => injected(one, retry)[0]);
    const retried = first.filter((fault) => fault === "1!retry").length;
    expect(retried).toBeGreaterThan(70);
    expect(retried).toBeLessThan(130);
    expect(injected(faulty(4, "cancel"), retry)).toEqual(Array(6).fill(undefined));
  });

  test("are the same with the same seed, and leave the other choices as they are", () => {
    const runs = (seed: number) =>
      Array.from({ length: 50 }, () => injected(faulty(seed, "cut-before"), ON_BOTH));
    expect(runs(3)).toEqual(runs(3));
    const plain = new RandomWalk(3);
    const other = faulty(3, "cut-before");
    for (let run = 0; run < 20; run++) {
      plain.begin();
      other.begin(SCENARIO);
      expect(walk(TOY, other).entries).toEqual(walk(TOY, plain).entries);
    }
  });
});
