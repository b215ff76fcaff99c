import type { Scenario } from "../core/scenario.ts";
import type { Choice, Lane } from "../core/schedule.ts";

/** Decides who moves. One object serves all executions of one scenario. */
export interface Scheduler {
  /** Begins the scenario's next execution; false when there is nothing left that it would try. */
  begin(scenario: Scenario): boolean;
  /**
   * Chooses one of `enabled`, which is never empty and is in a fixed order (by client, then by
   * connection; the background last). `previous` is the lane that moved last.
   */
  choose(enabled: readonly Choice[], previous: Lane | undefined): Choice;
}
