import type { Fault } from "./fault.ts";
import type { Event } from "./history.ts";
import type { Operation } from "./operation.ts";
import type { Choice, Task } from "./schedule.ts";

/** A statement as the service sent it to the server. */
export interface Statement {
  /** The text; several statements of one simple query, or of one batch, are joined by `; `. */
  readonly sql: string;
  /** Bound parameters as text. Null is SQL's NULL; a binary value is shown as `\x…`. */
  readonly values: readonly (string | null)[];
}

/** A place inside the server before which a statement can be held. */
export interface Place {
  /** Such as `public.cancel_booking(bigint)`, or `public.bookings` for a table. */
  readonly of: string;
  /** The line in the routine's source, from 1; null for a table. */
  readonly line: number | null;
  /** What comes next: the routine's statement, or what is about to be done to a row. */
  readonly next: string;
}

/** The server's answer to a statement. */
export interface Result {
  /** Command tags in order, such as `SELECT 1` or `UPDATE 0`. */
  readonly tags: readonly string[];
  readonly error?: {
    readonly sqlstate: string;
    readonly message: string;
    /** Of a deadlock: the modes of the locks, and what the statement was about to do. */
    readonly locks?: string;
  };
  /** The session's transaction after it, from ReadyForQuery. */
  readonly transaction: "idle" | "open" | "failed";
}

/**
 * A fault that was injected. The event of a lost response comes at its delivery, some steps after the
 * choice.
 */
export interface FaultEvent {
  readonly type: "fault";
  readonly task: Task;
  readonly fault: Fault;
  /** The statement that was held, and now never reaches the server. */
  readonly statement?: Statement;
  /** The task on which the request of a client that gave up continues. */
  readonly becomes?: Task;
}

/**
 * An event of an execution, in order. Each `move` begins a step; the events up to the next one
 * happened in that step.
 */
export type TraceEvent<Op extends Operation = Operation> =
  | {
      readonly type: "move";
      readonly choice: Choice;
      /** All choices that were possible, this one included. */
      readonly enabled: readonly Choice[];
      readonly preemption: boolean;
      /** It touches nothing that other clients can notice: it belongs to the step before. Default: false. */
      readonly private?: true;
    }
  | { readonly type: "statement"; readonly task: Task; readonly statement: Statement }
  | {
      /** The statement stands before that place; the next move of its task releases it. */
      readonly type: "gate";
      readonly task: Task;
      readonly place: Place;
    }
  | {
      readonly type: "wait";
      readonly task: Task;
      /** The tasks that hold what it waits for, or are ahead of it in the queue. */
      readonly for: readonly Task[];
    }
  | { readonly type: "result"; readonly task: Task; readonly result: Result }
  | FaultEvent
  | Event<Op>;

/** Whether a step begins with an event: a move that touches nothing shared belongs to the step before. */
export function beginsStep(event: TraceEvent): boolean {
  return event.type === "move" && event.private !== true;
}

/**
 * The trace without what Heddle has only found out about its statements: two executions are compared
 * by what was seen.
 */
export function withoutAnalysis(trace: Trace): Trace {
  return trace.map((event) => {
    if (event.type !== "move" || event.private === undefined) return event;
    const { private: _, ...move } = event;
    return move;
  });
}

/** Every event of an execution, in order. */
export type Trace<Op extends Operation = Operation> = readonly TraceEvent<Op>[];
