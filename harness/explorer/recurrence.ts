import type { Checkers } from "../checkers/registry.ts";
import type { Unrepeated } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import { FreeSteps } from "../scheduler/free-steps.ts";
import type { FailingExecution } from "./explore-scenario.ts";

/** How often a schedule with steps that run at the same time is executed again. */
const REPLAYS = 20;

/** Executes the schedule of a violation again, in which clients ran freely, and says how often it recurs. */
export async function recurrenceOf<State extends Json, Op extends Operation>(
  { execution: { scenario, schedule }, violations: [rule], sampled }: FailingExecution<State, Op>,
  executor: Executor<State, Op>,
  checkers: Checkers<State, Op>,
  onExecution: () => void,
): Promise<Unrepeated> {
  let replays = 0;
  let recurring = 0;
  try {
    for (; rule !== undefined && replays < REPLAYS; replays++) {
      onExecution();
      const scheduler = new FreeSteps(schedule, replays);
      scheduler.begin();
      const execution = await executor.execute(scenario, scheduler);
      const again = await checkers.checkRule(rule, execution, (...given) =>
        executor.execute(...given),
      );
      if (again.length > 0) recurring++;
    }
  } catch (error) {
    // The violation stands without its replays.
    if (!(error instanceof HarnessError)) throw error;
  }
  const why =
    `Sampled: no gate can stand in ${sampled}, so two clients ran freely there, at the same time. ` +
    `The rule was broken again in ${recurring} of ${replays} replays.`;
  return { recurs: "sometimes", why };
}
