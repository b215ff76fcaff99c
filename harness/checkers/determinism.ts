import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { withoutAnalysis } from "../core/trace.ts";
import { VolatileComparison } from "../core/volatile.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Checker } from "./checker.ts";

const RULE = {
  checker: "determinism",
  name: "same-schedule-same-execution",
  description:
    "Under the same schedule a scenario has the same statements, waits, responses and final state.",
} as const;

/**
 * Executes each schedule once more and compares the two executions, up to volatile values. Short
 * numbers are compared as they are, since sequences restart.
 *
 * @param ordersWakes whether the scheduler chooses which of several woken sessions continues first; if
 * it does not, a difference may be chance and makes the result undecided
 */
export function determinismChecker<State extends Json, Op extends Operation>(
  ordersWakes: boolean,
): Checker<State, Op> {
  return {
    rules: [RULE],
    check: async (execution, reexecute) => {
      const replay = new ReplayScheduler(execution.schedule);
      replay.begin();
      const second = await reexecute(execution.scenario, replay);
      const comparison = new VolatileComparison({ inputs: execution.scenario });
      const found = comparison.difference(comparable(execution), comparable(second));
      if (found === undefined) return { violations: [] };
      if (!ordersWakes) {
        return {
          violations: [],
          undecided:
            "the same schedule gave another execution, which may be chance: on this server Heddle does not order the wake-up of several sessions",
        };
      }
      const message = "the same schedule gave another execution";
      const { at, expected = null, actual = null } = found;
      const evidence = [{ event: at, first: expected, second: actual }];
      return { violations: [{ checker: RULE.checker, name: RULE.name, message, evidence }] };
    },
  };
}

/** Whether a violation is one of this checker: a replay finds it only if it applies the checker. */
export function isOfDeterminism({ checker }: { readonly checker: string }): boolean {
  return checker === RULE.checker;
}

/** The events of an execution, then its end and its final state. */
function comparable(execution: Execution): readonly unknown[] {
  const { trace, completion, openTransactions, snapshot, contents } = execution;
  return [...withoutAnalysis(trace), { completion, openTransactions, snapshot, contents }];
}
