import type { Fate } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { Control } from "../core/control.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import { faultsIn } from "../core/schedule.ts";
import type { Executor } from "../execution/executor.ts";
import { type Replayed, replay } from "../explorer/replay.ts";
import type { Subject } from "../explorer/subject.ts";
import type { Regression } from "./regression.ts";
import type { Kept } from "./regression-folder.ts";

export interface Fated<State extends Json = Json, C extends Command = Command> extends Kept {
  readonly fate: Fate;
  /** What was seen now. */
  readonly replayed: Replayed<State, C>;
}

/**
 * Executes each regression once more, under the control that it was found with; `open` opens an
 * executor for one, and for the faults of all that have it. They are of the subject, so what they hold
 * are its states and commands.
 */
export async function replayRegressions<State extends Json, C extends Command>(
  kept: readonly Kept[],
  subject: Subject<State, C>,
  open: (control: Control, faults: readonly Fault[]) => Promise<Executor<State, C>>,
): Promise<readonly Fated<State, C>[]> {
  const controls = new Map(
    kept.map(({ regression: { control } }) => [JSON.stringify(control), control]),
  );
  const fates: Fated<State, C>[] = [];
  for (const [key, control] of controls) {
    const its = kept.filter(({ regression }) => JSON.stringify(regression.control) === key);
    const faults = its.flatMap(({ regression }) => faultsIn(regression.schedule));
    const executor = await open(control, faults);
    try {
      for (const it of its) {
        const { scenario, schedule } = it.regression as Regression<State, C>;
        const replayed = await replay(executor, subject, { scenario, schedule });
        fates.push({ ...it, fate: fateOf(it.regression, replayed), replayed });
      }
    } finally {
      await executor.close();
    }
  }
  return fates.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** A rule that is broken is broken, whatever way led to it. */
function fateOf({ violation }: Regression, { violations, diverged }: Replayed): Fate {
  const { judge, name } = violation;
  if (violations.some((other) => other.judge === judge && other.name === name)) return "fails";
  return diverged === undefined ? "mended" : "unfit";
}
