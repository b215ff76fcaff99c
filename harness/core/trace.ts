import type { Command } from "./command.ts";
import type { Fault } from "./fault.ts";
import type { Event } from "./history.ts";
import type { Choice, Lane } from "./schedule.ts";

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
export type TraceEvent<C extends Command = Command> =
  | {
      readonly type: "move";
      readonly choice: Choice;
      /** All that could have moved instead, the choice included. */
      readonly enabled: readonly Choice[];
      readonly preemption: boolean;
    }
  | { readonly type: "statement"; readonly lane: Lane; readonly statement: Statement }
  | {
      /** The statement stands before that place, and the next move of its lane goes on from it. */
      readonly type: "gate";
      readonly lane: Lane;
      readonly place: Place;
    }
  | {
      readonly type: "wait";
      readonly lane: Lane;
      /** The lanes that hold, or are ahead of it in the queue for, what it waits for. */
      readonly for: readonly Lane[];
    }
  | { readonly type: "result"; readonly lane: Lane; readonly result: Result }
  | {
      /** It happens now; `cut-after` may have been chosen some steps before. */
      readonly type: "fault";
      readonly lane: Lane;
      readonly fault: Fault;
      /** What was held, and now never reaches the server. */
      readonly statement?: Statement;
      /** The lane on which what was under way goes on. */
      readonly becomes?: Lane;
    }
  | Event<C>;

export type Trace<C extends Command = Command> = readonly TraceEvent<C>[];
