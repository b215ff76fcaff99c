import { describe, expect, test } from "vitest";
import type { Fault } from "../core/fault.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice } from "../core/schedule.ts";
import { RandomWalk } from "./random.ts";
import { RandomFaults } from "./random-faults.ts";
import { walk } from "./toy.fixture.ts";

const TOY = [[2], [2]];
const SCENARIO: Scenario = { initial: null, clients: [[{ name: "a" }], [{ name: "b" }]] };

/** What would strike in one execution of six steps, in each of which these faults are possible. */
function strikes(faulty: RandomFaults, possible: readonly Choice[]): (string | undefined)[] {
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
  test("strike rarely, at any step, any task", () => {
    const one = faulty(1, "cut-before", "cut-after");
    const runs = Array.from({ length: 400 }, () => strikes(one, ON_BOTH));
    const struck = runs.filter((run) => run.some((fault) => fault !== undefined));
    expect(struck.length).toBeGreaterThan(60);
    expect(struck.length).toBeLessThan(140);
    const seen = struck.flatMap((run) => run.filter((fault) => fault !== undefined));
    expect(new Set(seen)).toEqual(
      new Set(["0!cut-before", "1!cut-before", "0!cut-after", "1!cut-after"]),
    );
    const steps = new Set(struck.map((run) => run.findIndex((fault) => fault !== undefined)));
    expect([...steps].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("are of the kinds that were asked for alone, and wait until they can strike", () => {
    const one = faulty(2, "cut-after");
    const seen = Array.from({ length: 200 }, () => strikes(one, ON_BOTH)).flat();
    expect(seen).not.toContain("0!cut-before");
    expect(seen).toContain("0!cut-after");
    expect(strikes(faulty(2, "cancel"), ON_BOTH)).toEqual(Array(6).fill(undefined));
  });

  test("make a client send again what it does not know of, whether a fault is due or not", () => {
    const one = faulty(4, "retry");
    const retry: Choice[] = [{ task: "1", action: "retry" }];
    const first = Array.from({ length: 200 }, () => strikes(one, retry)[0]);
    const retried = first.filter((fault) => fault === "1!retry").length;
    expect(retried).toBeGreaterThan(70);
    expect(retried).toBeLessThan(130);
    expect(strikes(faulty(4, "cancel"), retry)).toEqual(Array(6).fill(undefined));
  });

  test("are the same with the same seed, and change nothing of what else is chosen", () => {
    const runs = (seed: number) =>
      Array.from({ length: 50 }, () => strikes(faulty(seed, "cut-before"), ON_BOTH));
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
