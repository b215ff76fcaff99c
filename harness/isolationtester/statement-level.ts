import { Checkers, checkersOf } from "../checkers/registry.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Service } from "../service/service.ts";

/** So many executions are tried: seconds, where most scenarios have fewer. */
const MOST = 1_000;

/**
 * Looks for an execution of a scenario that breaks the same rule.
 * @param executor has gates between statements only.
 */
export async function searchFor<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  scenario: Scenario<State, Op>,
  rule: Violation,
): Promise<Execution<State, Op> | undefined> {
  const checkers = new Checkers(checkersOf(service));
  const scheduler = new Exhaustive();
  for (let left = MOST; left > 0 && scheduler.begin(); left--) {
    const execution = await executor.execute(scenario, scheduler);
    const found = await checkers.checkRule(rule, execution, (...given) =>
      executor.execute(...given),
    );
    if (found.length > 0) return execution;
  }
  return undefined;
}
