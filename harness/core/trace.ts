import type { Fault } from "./fault.ts";
import type { Event } from "./history.ts";
import type { Operation } from "./operation.ts";
import type { Choice, Task } from "./schedule.ts";

/** A statement as it went over the wire. */
export interface Statement {
  /** The text; several statements of one simple query, or of one batch, are joined by `; `. */
  readonly sql: string;
  /** Bound parameters as text; null is SQL's NULL, binary ones are shown as `\x…`. */
  readonly values: readonly (string | null)[];
}

/** A place inside the server at which a statement can be held. */
export interface Place {
  /** Such as `public.cancel_booking(bigint)`, or `public.bookings` for a table. */
  readonly of: string;
  /** The line in the routine's source, from 1; null for a table. */
  readonly line: number | null;
  /** What comes next: the routine's statement, or what is about to be done to a row. */
  readonly next: string;
}

/** What the server answered to a statement. */
export interface Result {
  /** Command tags in order, such as `SELECT 1` or `UPDATE 0`. */
  readonly tags: readonly string[];
  readonly error?: { readonly sqlstate: string; readonly message: string };
  /** The session's transaction after it, from ReadyForQuery. */
  readonly transaction: "idle" | "open" | "failed";
}

/**
 * What happened in an execution, in order. Each `move` begins a step; what follows it, up to the
 * next one, happened in that step.
 */
export type TraceEvent<Op extends Operation = Operation> =
  | {
      readonly type: "move";
      readonly choice: Choice;
      /** All that could have moved instead, the choice included. */
      readonly enabled: readonly Choice[];
      readonly preemption: boolean;
    }
  | { readonly type: "statement"; readonly task: Task; readonly statement: Statement }
  | {
      /** The statement stands before that place, and the next move of its task goes on from it. */
      readonly type: "gate";
      readonly task: Task;
      readonly place: Place;
    }
  | {
      readonly type: "wait";
      readonly task: Task;
      /** The tasks that hold, or are ahead of it in the queue for, what it waits for. */
      readonly for: readonly Task[];
    }
  | { readonly type: "result"; readonly task: Task; readonly result: Result }
  | {
      /** It happens now; `cut-after` may have been chosen some steps before. */
      readonly type: "fault";
      readonly task: Task;
      readonly fault: Fault;
      /** What was held, and now never reaches the server. */
      readonly statement?: Statement;
      /** The task on which what was under way goes on. */
      readonly becomes?: Task;
    }
  | Event<Op>;

export type Trace<Op extends Operation = Operation> = readonly TraceEvent<Op>[];
