import type { Control } from "./control.ts";
import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Trace } from "./trace.ts";
import type { Violation } from "./verdict.ts";

/** A violation with all that a replay needs, and the trace to compare the replay with. */
export interface Counterexample<State extends Json = Json, Op extends Operation = Operation> {
  readonly version: 1;
  /** The name of the service. */
  readonly service: string;
  /** The name of the mutant that was applied, or null. */
  readonly mutant: string | null;
  readonly control: Control;
  /** The seed of the campaign. */
  readonly seed: number;
  /** The number of the failing execution in the campaign, from 0. */
  readonly execution: number;
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  readonly trace: Trace<Op>;
  /** The violations of the execution; shrinking kept that of the first rule. */
  readonly violations: readonly Violation[];
  /**
   * The step, counted from 1, whose commit broke the first rule; absent if that rule is not about
   * committed state, or if the step is not known.
   */
  readonly brokenAt?: number;
  /** The number of preemptions in the schedule. */
  readonly preemptions: number;
  /** The executions that shrinking took, and the operations and preemptions before it. */
  readonly shrunk: {
    readonly executions: number;
    readonly operations: number;
    readonly preemptions: number;
    /** Whether shrinking reached a local minimum within its budget. */
    readonly minimal: boolean;
  };
  /** A serial run of the same operations in which the rule holds, if one was found. */
  readonly serial?: { readonly schedule: Schedule; readonly trace: Trace<Op> };
  readonly versions: { readonly heddle: string; readonly postgres: string };
  /** SHA-256 of each source that the execution depends on, by path (migrations, mutant). */
  readonly hashes: { readonly [path: string]: string };
}
