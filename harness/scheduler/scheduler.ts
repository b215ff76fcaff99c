import type { Footprint, Touched } from "../core/footprint.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/** What a choice may touch in the present state; undefined when that is not known. */
export type FootprintOf = (choice: Choice) => Footprint | undefined;

/** Decides who moves. One object serves all executions of one scenario. */
export interface Scheduler {
  /** Begins the scenario's next execution; false when there is nothing left that it would try. */
  begin(scenario: Scenario): boolean;
  /**
   * Chooses one of `enabled`, which is never empty and is in a fixed order (by client, then by
   * connection; the background last). `previous` is the task that moved last. `footprintOf` says
   * what each of them may touch.
   */
  choose(enabled: readonly Choice[], previous: Task | undefined, footprintOf?: FootprintOf): Choice;
  /**
   * What the step that was chosen last came to, once all is at rest again. `released`: what connections
   * held that were closed in it; undefined when nobody can tell what it did.
   */
  observe?(events: Trace, released: Touched | undefined): void;
  /**
   * Before each choice, and once nobody can move any more: which of `faults` strikes, instead of a
   * choice; undefined for none. Where it is missing no fault ever strikes.
   */
  inject?(faults: readonly Choice[], enabled: readonly Choice[]): Choice | undefined;
}
