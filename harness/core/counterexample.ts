import type { Control } from "./control.ts";
import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Trace } from "./trace.ts";
import type { Violation } from "./verdict.ts";
import type { VolatileValue } from "./volatile-values.ts";

/** What was found when a violation did not repeat itself on a freshly started system. */
export interface Unrepeated {
  /**
   * Whether the rule was broken again: `fresh`, on a freshly started system, in another execution;
   * `after others`, only after the executions in `before`; `sometimes`, since clients ran freely at a place
   * without a gate; `never`.
   */
  readonly recurs: "fresh" | "after others" | "sometimes" | "never";
  /** In sentences, with what to do. */
  readonly why: string;
}

/** An execution before the failing one, on the same system: enough to execute it again. */
export interface EarlierExecution<State extends Json = Json, Op extends Operation = Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
}

/** A violation with all that a replay needs, and the trace to compare the replay with. */
export interface Counterexample<State extends Json = Json, Op extends Operation = Operation> {
  readonly version: 3;
  /** The name of the service. */
  readonly service: string;
  /** The name of the mutant that was applied, or null. */
  readonly mutant: string | null;
  readonly control: Control;
  /** The seed of the campaign. */
  readonly seed: number;
  /** The number of the failing execution in the campaign, from 1; 0 for that of a stored regression. */
  readonly execution: number;
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  /**
   * The executions that come first, on a freshly started system: the rule is broken only after what they
   * leave in the memory of the service or of a client's module. Absent if there is none.
   */
  readonly before?: readonly EarlierExecution<State, Op>[];
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
  /**
   * The values of the trace and the violations that differ in each execution, found by executing the
   * schedule again. Absent if there is none.
   */
  readonly volatile?: readonly VolatileValue[];
  /** Absent if a freshly started system repeated the execution. */
  readonly unrepeated?: Unrepeated;
  /** The names of the clients, where they have names. */
  readonly names?: readonly string[];
  /** The file of the stored regression that it is a new execution of; absent for what the run has found. */
  readonly regression?: string;
  /** Options by which `heddle replay` finds the service, where its name is not enough. */
  readonly replayWith?: readonly string[];
  /** SHA-256 of each source that the execution depends on, by path (migrations, mutant). */
  readonly hashes: { readonly [path: string]: string };
}
