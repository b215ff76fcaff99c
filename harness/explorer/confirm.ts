import type { Checkers } from "../checkers/registry.ts";
import type { Unrepeated } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { VolatileValue } from "../core/volatile-values.ts";
import type { Executor } from "../execution/executor.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { type Replayed, replayChecked } from "./replay.ts";

/** A failing execution as it is on a freshly started system, and what differs when it is repeated. */
export interface ConfirmedExecution<State extends Json, Op extends Operation> {
  readonly failing: FailingExecution<State, Op>;
  readonly volatile: readonly VolatileValue[];
  readonly unrepeated?: Unrepeated;
}

/** How often the schedule is executed again where the rule held on the freshly started system. */
const FURTHER_EXECUTIONS = 2;

/**
 * Executes a failing schedule on a freshly started system: what clients and the service remember of
 * earlier executions must not be what breaks the rule. A replay starts there too.
 */
export async function confirm<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
  executor: Executor<State, Op>,
  checkers: Checkers<State, Op>,
): Promise<ConfirmedExecution<State, Op>> {
  try {
    return await confirmOn(failing, executor, checkers);
  } catch (error) {
    // The violation stands without the confirmation.
    if (!(error instanceof HarnessError)) throw error;
    return { failing, volatile: [] };
  }
}

async function confirmOn<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
  executor: Executor<State, Op>,
  checkers: Checkers<State, Op>,
): Promise<ConfirmedExecution<State, Op>> {
  const [rule] = failing.violations;
  const recurs = ({ violations }: Replayed<State, Op>) =>
    violations.some(({ checker, name }) => checker === rule?.checker && name === rule.name);
  const repeat = ({ execution, violations }: FailingExecution<State, Op>) => {
    const { scenario, schedule, trace } = execution;
    return replayChecked(executor, checkers, { scenario, schedule, trace, violations });
  };
  await executor.renew();
  const fresh = await repeat(failing);
  const { diverged, volatile } = fresh;
  // Without control of the wake-up order another execution may be chance.
  if (diverged === undefined || !executor.ordersWakes) return { failing, volatile };
  if (recurs(fresh)) {
    const again = await repeat(fresh);
    const confirmed = { failing: fresh, volatile: again.volatile };
    if (again.diverged === undefined) return confirmed;
    return { ...confirmed, unrepeated: { recurs: "fresh", why: differs(again.diverged) } };
  }
  for (let left = FURTHER_EXECUTIONS; left > 0; left--) {
    if (recurs(await repeat(failing))) {
      return { failing, volatile, unrepeated: { recurs: "after others", why: AFTER_OTHERS } };
    }
  }
  return { failing, volatile, unrepeated: { recurs: "never", why: NEVER } };
}

function differs(difference: string): string {
  return (
    "The rule is broken on a freshly started system too, but the execution does not repeat exactly: " +
    "something outlives an execution, such as what the service or a client's module keeps in memory. " +
    `A replay may diverge; with --fresh it does not depend on earlier executions. The difference: ${difference}.`
  );
}

const AFTER_OTHERS =
  "The rule is broken only after other executions, and not on a freshly started system: something " +
  "outlives an execution, such as a cache, a pooled session, or what a client's module keeps in " +
  "memory. With --fresh the service is started for each execution.";

const NEVER =
  "The rule was broken once, and not again under the same schedule, also not on a freshly started " +
  "system: something that is not controlled decides, or outlives an execution. Execute it with " +
  "--fresh, which starts the service for each execution, or with --check-determinism.";
