import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** Of how many orders the first that holds is looked for. */
const MOST_ORDERS = 24;

/**
 * The same operations, one whole operation after the other, in an order in which the rule holds: beside
 * it one sees what the interleaving does. None, where no order was found in which it does; then it
 * takes no concurrency to break the rule.
 */
export async function passingSerialRun<State extends Json, Op extends Operation>(
  scenario: Scenario<State, Op>,
  execute: (scenario: Scenario<State, Op>, scheduler: Scheduler) => Promise<Execution<State, Op>>,
  holds: (execution: Execution<State, Op>) => Promise<boolean>,
): Promise<Execution<State, Op> | undefined> {
  const orders = new Exhaustive(0);
  try {
    for (let left = MOST_ORDERS; left > 0 && orders.begin(); left--) {
      const execution = await execute(scenario, orders);
      if (await holds(execution)) return execution;
    }
  } catch (error) {
    // What was found stands without it.
    if (!(error instanceof HarnessError)) throw error;
  }
  return undefined;
}
