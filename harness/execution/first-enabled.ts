import type { Choice, Task } from "../core/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** One client after the other. */
export class FirstEnabled implements Scheduler {
  begin(): boolean {
    return true;
  }

  choose(enabled: readonly Choice[], previous: Task | undefined): Choice {
    const choice = enabled.find(({ task }) => task === previous) ?? enabled[0];
    if (choice === undefined) throw new Error("a scheduler was asked to choose from nothing");
    return choice;
  }
}
