import type { Footprint, Touched } from "../core/footprint.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/** What a choice may touch in the present state; undefined: not known. */
export type FootprintOf = (choice: Choice) => Footprint | undefined;

/** Chooses the next step. One scheduler makes all executions of one scenario. */
export interface Scheduler {
  /** Begins the next execution of the scenario; false when no schedule is left to execute. */
  begin(scenario: Scenario): boolean;
  /**
   * Whether it chooses among fair schedules alone: a task that polls is not enabled then until another
   * one has made progress. False for schedulers that follow a given order. Default: true.
   */
  readonly fair?: boolean;
  /**
   * Chooses one of `enabled`.
   *
   * @param enabled never empty; ordered by client, then by connection, the background last
   * @param previous the task that moved last
   * @param footprintOf what each of `enabled` may touch
   * @param yielded tasks that poll, and could move but for fairness (see `fair`). Default: none
   */
  choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf?: FootprintOf,
    yielded?: readonly Task[],
  ): Choice;
  /**
   * Called when a task goes on, without a choice, with a step that touches nothing which other clients
   * can notice: it belongs to the step before. Schedulers that follow a given order choose such steps too.
   */
  goesOn?(choice: Choice): void;
  /**
   * Called after each chosen step, at quiescence, with all that followed it without a choice.
   *
   * @param events what the step added to the trace
   * @param released what the connections that were closed in the step held; undefined: not known
   */
  observe?(events: Trace, released: Touched | undefined): void;
  /**
   * Called when a statement has shown that footprints of earlier steps were too small: what was left out
   * because of them has to be explored.
   *
   * @param choices whether steps are choices now that were none. Default: they are as before
   */
  footprintsGrew?(choices?: boolean): void;
  /** How long to wait, in ms, between a step that runs at the same time as the next one and that one. Default: 0. */
  delayMs?(): number;
  /**
   * Called before each choice, and once more when no task is enabled: the fault to inject instead of a
   * choice; undefined: none. A scheduler without it injects no faults.
   *
   * @param faults all that can be injected now
   */
  inject?(faults: readonly Choice[], enabled: readonly Choice[]): Choice | undefined;
}
