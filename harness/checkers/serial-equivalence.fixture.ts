import { ClientOrder } from "../scheduler/client-order.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Checker } from "./checker.ts";
import { serialEquivalenceChecker } from "./serial-equivalence.ts";
import { executeToy, increment, type Toy, type ToyScenario } from "./toy.fixture.ts";

/** Executes the counter, with its final rows. */
export function execute(scenario: ToyScenario, scheduler: Scheduler) {
  const { snapshot, ...rest } = executeToy(scenario, scheduler);
  const counter = (snapshot["counter"] ?? []).map(({ value }) => ({ value: value ?? null }));
  return { ...rest, snapshot, contents: { counter } };
}

export function interleaved(scenario: ToyScenario, tasks: string) {
  const scheduler = new ReplayScheduler({ version: 1, entries: tasks.split(" ") });
  scheduler.begin();
  return execute(scenario, scheduler);
}

export const two: ToyScenario = { initial: 0, clients: [[increment], [increment]] };
export const fine = interleaved(two, "0 1 0 0 1 1");
export const lost = interleaved(two, "0 0 1 1 0 1");

/** What a checker finds in an execution, and how many serial orders it executes. */
export async function checked(
  it: typeof fine,
  checker: Checker<number, Toy> = serialEquivalenceChecker({}, undefined),
) {
  let executions = 0;
  const { violations, undecided, unchecked } = await checker.check(
    it,
    async (scenario, scheduler) => {
      // The same schedule once more has the same result.
      if (!(scheduler instanceof ClientOrder)) return it;
      executions++;
      return execute(scenario, scheduler);
    },
  );
  const names = violations.map(({ name }) => name);
  return { names, undecided, unchecked: unchecked?.length ?? 0, executions };
}
