import { Checkers, checkersOf } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Executor } from "../execution/executor.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Service } from "../service/service.ts";

/** The bound on executions: a few seconds. Most scenarios have fewer interleavings. */
const MAX_EXECUTIONS = 1_000;

/**
 * Searches the interleavings of whole statements for an execution that breaks the rule that a
 * counterexample broke. Such an execution can be repeated without Heddle.
 * @param open opens an executor for the service under a control.
 * @returns undefined if none of the first 1,000 executions breaks the rule.
 */
export async function searchWithStatementGates<State extends Json, Op extends Operation>(
  open: (control: Control) => Promise<Executor<State, Op>>,
  service: Service<State, Op>,
  counterexample: Pick<Counterexample, "violations" | "control">,
  scenario: Scenario<State, Op>,
): Promise<Execution<State, Op> | undefined> {
  const [rule] = counterexample.violations;
  if (rule === undefined) return undefined;
  const checkers = new Checkers(checkersOf(service));
  const executor = await open({ ...counterexample.control, gates: ["statement"] });
  try {
    const scheduler = new Exhaustive();
    for (let left = MAX_EXECUTIONS; left > 0 && scheduler.begin(); left--) {
      const execution = await executor.execute(scenario, scheduler);
      const violations = await checkers.checkRule(rule, execution, (...run) =>
        executor.execute(...run),
      );
      if (violations.length > 0) return execution;
    }
    return undefined;
  } finally {
    await executor.close();
  }
}
