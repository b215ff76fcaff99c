import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { historyOf, preemptionCount } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { operationCount } from "../core/scenario.ts";
import { formatSchedule, parseSchedule } from "../core/schedule.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { RandomFaults } from "../scheduler/random-faults.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { generator } from "./generate.ts";
import { type ShrinkOptions, shrink } from "./shrink.ts";
import {
  executeToy,
  increment,
  incrementsOf,
  look,
  lostUpdate,
  type Toy,
  type ToyExecution,
  type ToyScenario,
  toyService,
} from "./toy.fixture.ts";

const lost = ({ snapshot }: ToyExecution) => lostUpdate.check(snapshot).length > 0;

const options = (
  changes: Partial<ShrinkOptions<number, Toy>> = {},
): ShrinkOptions<number, Toy> => ({
  execute: (scenario, scheduler) => Promise.resolve(executeToy(scenario, scheduler)),
  fails: async (execution) => lost(execution),
  tree: undefined,
  more: () => true,
  ...changes,
});

const SCENARIO: ToyScenario = {
  initial: 3,
  clients: [[look, increment, look], [increment, look, increment], [look, look], [increment]],
};

/** The first random walk through a scenario that loses an update. */
function failing(scenario = SCENARIO, seed = 1): ToyExecution {
  const walk = new RandomWalk(seed);
  for (;;) {
    const execution = executeToy(scenario, walk);
    if (lost(execution)) return execution;
  }
}

describe("shrinking", () => {
  test.each([
    1, 2, 3, 4, 5,
  ])("leads to two increments and one preemption (walk %i)", async (seed) => {
    const { execution, minimal, executions, error } = await shrink(
      failing(SCENARIO, seed),
      options(),
    );
    expect(execution.scenario.clients).toEqual([[increment], [increment]]);
    expect(preemptionCount(execution.trace)).toBe(1);
    expect(lost(execution)).toBe(true);
    expect({ minimal, error }).toEqual({ minimal: true, error: undefined });
    expect(executions).toBeGreaterThan(0);
  });

  test("takes a simpler initial state as long as the violation stays", async () => {
    const shrunkStates = (initial: number) => (initial > 0 ? [initial - 1] : []);
    const { execution } = await shrink(
      failing(),
      options({
        shrunkStates,
        fails: async (one) => lost(one) && one.scenario.initial >= 2,
      }),
    );
    expect(execution.scenario).toEqual({ initial: 2, clients: [[increment], [increment]] });
  });

  test("leads to an execution that replays", async () => {
    const { execution } = await shrink(failing(), options());
    const replay = new ReplayScheduler(execution.schedule);
    expect(executeToy(execution.scenario, replay)).toEqual(execution);
    expect(replay.diverged()).toBeUndefined();
  });

  test("always leads to an execution from which nothing can be removed", async () => {
    const clients = fc.array(
      fc.array(fc.constantFrom(increment, look), { minLength: 1, maxLength: 3 }),
      { minLength: 2, maxLength: 4 },
    );
    const losable = clients.filter(
      (lists) => lists.filter((list) => list.includes(increment)).length > 1,
    );
    await fc.assert(
      fc.asyncProperty(losable, fc.integer(), async (lists, seed) => {
        const start = failing({ initial: 0, clients: lists }, seed);
        const { execution } = await shrink(start, options());
        expect(execution.scenario.clients).toEqual([[increment], [increment]]);
        expect(preemptionCount(execution.trace)).toBe(1);
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    1, 2, 3, 4, 5,
  ])("leads to one operation and one fault if the failure needs a fault (walk %i)", async (seed) => {
    // Every cut increment is lost, and its outcome is unknown.
    const fails = (execution: ToyExecution) =>
      lost(execution) &&
      historyOf(execution.trace).some((e) => e.type === "return" && e.response.outcome === "info");
    const faulty = new RandomFaults(new RandomWalk(seed), ["cut-before"], seed);
    let start: ToyExecution;
    do {
      faulty.begin(SCENARIO);
      start = executeToy(SCENARIO, faulty);
    } while (!fails(start));
    const { execution, minimal } = await shrink(start, options({ fails: async (it) => fails(it) }));
    expect(execution.scenario.clients).toEqual([[increment]]);
    expect(execution.schedule.entries.filter((entry) => entry.includes("!"))).toEqual([
      "0!cut-before",
    ]);
    expect(minimal).toBe(true);
  });

  test("removes faults that the failure does not need", async () => {
    const faulty = new RandomFaults(new RandomWalk(7), ["cut-before"], 7);
    const faultCount = ({ schedule }: ToyExecution) =>
      schedule.entries.filter((entry) => entry.includes("!")).length;
    // Two increments succeeded after reading the same value.
    const fails = ({ trace }: ToyExecution) => {
      const increments = calls(historyOf(trace)).filter(
        ({ operation, response }) => operation.name === "increment" && response?.outcome === "ok",
      );
      return new Set(increments.map(({ response }) => response?.body)).size < increments.length;
    };
    let start: ToyExecution;
    do {
      faulty.begin(SCENARIO);
      start = executeToy(SCENARIO, faulty);
    } while (!(fails(start) && faultCount(start) > 0));
    const { execution } = await shrink(start, options({ fails: async (it) => fails(it) }));
    expect(faultCount(execution)).toBe(0);
    expect(execution.scenario.clients).toEqual([[increment], [increment]]);
  });

  test("keeps to the violation: an execution with another one does not count", async () => {
    // Two updates have to be lost at once; one alone is another violation.
    const fails = ({ snapshot }: ToyExecution) => {
      const [row] = snapshot["counter"] ?? [];
      return Number(row?.["expected"]) - Number(row?.["value"]) >= 2;
    };
    const walk = new RandomWalk(5);
    let start = executeToy(SCENARIO, walk);
    while (!fails(start)) start = executeToy(SCENARIO, walk);
    const { execution } = await shrink(start, options({ fails: async (it) => fails(it) }));
    expect(fails(execution)).toBe(true);
    expect(incrementsOf(execution.scenario)).toBe(3);
    expect(operationCount(execution.scenario)).toBe(3);
  });

  test("keeps the first operation if the failure needs it", async () => {
    const first: ToyScenario = {
      initial: 0,
      clients: [
        [increment, look, look],
        [increment, look],
      ],
    };
    const { execution } = await shrink(failing(first), options());
    expect(execution.scenario.clients).toEqual([[increment], [increment]]);
  });

  test("removes preemptions even if no operation can be removed", async () => {
    const scenario: ToyScenario = { initial: 0, clients: [[increment], [increment]] };
    const replay = new ReplayScheduler(parseSchedule("0 1 0 1 0 1") ?? failing().schedule);
    const start = executeToy(scenario, replay);
    expect(lost(start)).toBe(true);
    expect(preemptionCount(start.trace)).toBe(4);
    const { execution } = await shrink(start, options());
    expect(formatSchedule(execution.schedule)).toMatch(/^(0\*2 1\*3 0|1\*2 0\*3 1)$/);
  });

  test("makes the initial state and the arguments of a generated scenario simpler", async () => {
    const weighty = fc.record({
      name: fc.constantFrom("look", "increment"),
      weight: fc.nat(99),
    }) as fc.Arbitrary<Toy>;
    const client = fc.array(weighty, { minLength: 1, maxLength: 3 });
    const clients = fc.array(client, { minLength: 2, maxLength: 4 });
    const scenarios = () => fc.record({ initial: fc.nat(3), clients });
    const input = generator(toyService({ scenarios }), { minClients: 2, maxClients: 4 }, 1);
    let losing = 0;
    for (let index = 0; index < 100; index++) {
      const { tree } = input(index);
      if (
        tree.value.clients.filter((list) => incrementsOf({ initial: 0, clients: [list] }) > 0)
          .length < 2
      )
        continue;
      losing++;
      const { execution } = await shrink(failing(tree.value), options({ tree }));
      const light = { ...increment, weight: 0 };
      expect(execution.scenario).toEqual({ initial: 0, clients: [[light], [light]] });
    }
    expect(losing).toBeGreaterThan(50);
  });

  test("keeps the initial state and the arguments of a scenario that was not generated", async () => {
    const { execution } = await shrink(failing(), options());
    expect(execution.scenario.initial).toBe(SCENARIO.initial);
  });
});

describe("shrinking that is cut short", () => {
  test("results in the failing execution itself if there is no time", async () => {
    const start = failing();
    const execute = () => Promise.reject(new Error("nothing may be executed"));
    expect(await shrink(start, options({ more: () => false, execute }))).toEqual({
      execution: start,
      executions: 0,
      minimal: false,
      error: undefined,
    });
  });

  test.each([1, 5, 20])("ends after %i executions if there is no time for more", async (most) => {
    let left = most;
    const start = failing();
    const shrunk = await shrink(start, options({ more: () => left-- > 0 }));
    expect(shrunk.executions).toBe(most);
    expect(shrunk.minimal).toBe(false);
    expect(lost(shrunk.execution)).toBe(true);
    expect(operationCount(shrunk.execution.scenario)).toBeLessThanOrEqual(operationCount(SCENARIO));
  });

  test("results in the smallest execution so far if the harness fails, whenever that is", async () => {
    const { executions: all } = await shrink(failing(), options());
    for (let good = 0; good < all; good++) {
      const failure = new HarnessError("STEP_TIMEOUT", "too slow");
      let best = failing();
      let executed = 0;
      const shrunk = await shrink(
        failing(),
        options({
          execute: async (scenario, scheduler) => {
            if (executed++ === good) throw failure;
            return executeToy(scenario, scheduler);
          },
          fails: async (execution) => {
            if (lost(execution)) best = execution;
            return lost(execution);
          },
        }),
      );
      expect(shrunk.error).toBe(failure);
      expect(shrunk.minimal).toBe(false);
      expect(shrunk.executions).toBe(good + 1);
      expect(lost(shrunk.execution)).toBe(true);
      expect(operationCount(shrunk.execution.scenario)).toBe(operationCount(best.scenario));
    }
  });

  test("throws unexpected errors", async () => {
    const execute = () => Promise.reject(new TypeError("a mistake"));
    await expect(shrink(failing(), options({ execute }))).rejects.toThrow("a mistake");
  });
});

test("operations that belong together stay, while the schedule shrinks", async () => {
  const { execution } = await shrink(failing(), options({ keepOperations: true }));
  expect(execution.scenario).toEqual(SCENARIO);
  expect(preemptionCount(execution.trace)).toBe(1);
});
