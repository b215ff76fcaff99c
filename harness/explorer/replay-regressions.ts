import type { Control } from "../core/control.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { faultsIn } from "../core/schedule.ts";
import type { Executor } from "../execution/executor.ts";
import type { Service } from "../service/service.ts";
import type { RegressionOutcome } from "./campaign-report.ts";
import type { Regression } from "./regression.ts";
import type { KeptRegression } from "./regression-folder.ts";
import { type Replayed, replay } from "./replay.ts";

export interface ReplayedRegression<State extends Json = Json, Op extends Operation = Operation>
  extends KeptRegression {
  readonly outcome: RegressionOutcome;
  /** What was seen now. */
  readonly replayed: Replayed<State, Op>;
}

/**
 * Executes each regression once more, under the control that it was found with; `open` opens an
 * executor for one, and for the faults of all that have it. They are of the service, so what they hold
 * are its states and operations.
 */
export async function replayRegressions<State extends Json, Op extends Operation>(
  kept: readonly KeptRegression[],
  service: Service<State, Op>,
  open: (control: Control, faults: readonly Fault[]) => Promise<Executor<State, Op>>,
): Promise<readonly ReplayedRegression<State, Op>[]> {
  const controls = new Map(
    kept.map(({ regression: { control } }) => [JSON.stringify(control), control]),
  );
  const outcomes: ReplayedRegression<State, Op>[] = [];
  for (const [key, control] of controls) {
    const its = kept.filter(({ regression }) => JSON.stringify(regression.control) === key);
    const faults = its.flatMap(({ regression }) => faultsIn(regression.schedule));
    const executor = await open(control, faults);
    try {
      for (const it of its) {
        const { scenario, schedule } = it.regression as Regression<State, Op>;
        const replayed = await replay(executor, service, { scenario, schedule });
        outcomes.push({ ...it, outcome: outcomeOfReplay(it.regression, replayed), replayed });
      }
    } finally {
      await executor.close();
    }
  }
  return outcomes.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** A rule that is broken is broken, whatever way led to it. */
function outcomeOfReplay(
  { violation }: Regression,
  { violations, diverged }: Replayed,
): RegressionOutcome {
  const { checker, name } = violation;
  if (violations.some((other) => other.checker === checker && other.name === name)) return "fails";
  return diverged === undefined ? "fixed" : "stale";
}
