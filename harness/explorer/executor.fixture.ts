import type { EarlierExecution } from "../core/counterexample.ts";
import { Discoveries } from "../execution/discoveries.ts";
import type { Executor } from "../execution/executor.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Toy, ToyExecution, ToyScenario } from "./toy.fixture.ts";

/** The part of an executor that exploring uses. */
export function fakeExecutor(
  execute: (scenario: ToyScenario, scheduler: Scheduler) => ToyExecution | Promise<ToyExecution>,
  renewed: () => void = () => {},
  before: readonly EarlierExecution<number, Toy>[] = [],
): Executor<number, Toy> {
  const fake: Pick<
    Executor<number, Toy>,
    | "execute"
    | "executeBefore"
    | "before"
    | "startsFresh"
    | "notes"
    | "renew"
    | "uninstrumented"
    | "uncontrolled"
    | "ungated"
    | "takeUngatedStates"
    | "discoveries"
    | "routines"
    | "ordersWakes"
  > = {
    startsFresh: false,
    before: () => before,
    executeBefore: async (scenario, scheduler) => void (await execute(scenario, scheduler)),
    ordersWakes: true,
    notes: new Set(),
    uninstrumented: [],
    uncontrolled: [],
    ungated: [],
    takeUngatedStates: () => [],
    discoveries: new Discoveries(),
    routines: {},
    renew: async () => renewed(),
    execute: async (scenario, scheduler) => execute(scenario, scheduler),
  };
  return fake as Executor<number, Toy>;
}
