import type { Control } from "./control.ts";
import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Trace } from "./trace.ts";
import type { Violation } from "./verdict.ts";

/** Enough to replay a violation, and to tell when a replay saw something else. */
export interface Counterexample<State extends Json = Json, Op extends Operation = Operation> {
  readonly version: 1;
  readonly service: string;
  /** The seeded bug that was on, or null. */
  readonly mutant: string | null;
  readonly control: Control;
  /** The campaign's seed, and which of its executions failed first. */
  readonly seed: number;
  readonly execution: number;
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  readonly trace: Trace<Op>;
  readonly violations: readonly Violation[];
  /**
   * The step, from 1, with whose commit committed state came to break the first rule; absent where
   * that is no rule about committed state, or where it could not be told.
   */
  readonly brokenAt?: number;
  readonly preemptions: number;
  /** What shrinking did: executions that it took, and the operations and preemptions before it. */
  readonly shrunk: {
    readonly executions: number;
    readonly operations: number;
    readonly preemptions: number;
    /** Whether it reached a local minimum, or ran out of its budget. */
    readonly minimal: boolean;
  };
  /** The same operations one after the other, in an order in which the rule holds, if there is one. */
  readonly serial?: { readonly schedule: Schedule; readonly trace: Trace<Op> };
  readonly versions: { readonly heddle: string; readonly postgres: string };
  /** SHA-256 of each source that the execution depends on, by path (migrations, mutant). */
  readonly hashes: { readonly [path: string]: string };
}
