import type { Event, History } from "./history.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Operation } from "./operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Trace, TraceEvent } from "./trace.ts";

/** Committed state: rows by the name of the table or query. */
export type Snapshot = { readonly [name: string]: readonly JsonObject[] };

/** Committed state right after a step that committed a transaction. */
export interface Commit {
  /** From 1, in the order of the trace's moves. */
  readonly step: number;
  readonly snapshot: Snapshot;
}

/**
 * How an execution ended. `stuck`: every remaining client waited for something that none of them
 * would release, such as a lock of a transaction that stayed open.
 */
export type Completion =
  | { readonly type: "complete" }
  | { readonly type: "stuck"; readonly waits: string };

/** How a service ended by itself: its exit code, such as `EXIT_1`, or a signal; and its standard error. */
export interface ServiceEnd {
  readonly code: string;
  readonly lastWords: string;
}

/** One run of a scenario under a schedule, with everything that was observed. */
export interface Execution<State extends Json = Json, Op extends Operation = Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  readonly trace: Trace<Op>;
  readonly completion: Completion;
  /** The number of sessions with an open transaction when all clients were done. */
  readonly openTransactions: number;
  /** The keys of advisory locks that were still held when all clients were done. */
  readonly advisoryLocks?: readonly string[];
  /** The number of connections that pools had still lent when all clients were done, if the system can tell. */
  readonly connectionsInUse?: number;
  /** How the service ended, if it did so without a fault that kills it. */
  readonly serviceEnd?: ServiceEnd;
  /** The state after each commit, in order, with `observe: "each-commit"`. */
  readonly commits?: readonly Commit[];
  /** Committed state after the last operation, as `System.observe` reads it. */
  readonly snapshot: Snapshot;
  /** All rows of the database, clock times aside, if the system can tell. */
  readonly contents: Snapshot | undefined;
  /** All rows before the first operation, where the scenario's initial state is not made of rows. */
  readonly initialContents?: Snapshot;
}

/** The most complete final state that is known, to compare two executions by. */
export function finalState({ contents, snapshot }: Execution): Snapshot {
  return contents ?? snapshot;
}

function isHistoryEvent<Op extends Operation>(event: TraceEvent<Op>): event is Event<Op> {
  return event.type === "invoke" || event.type === "return";
}

export function historyOf<Op extends Operation>(trace: Trace<Op>): History<Op> {
  return trace.filter(isHistoryEvent);
}

/** Whether a fault was injected. */
export function isFaulty(trace: Trace): boolean {
  return trace.some((event) => event.type === "fault");
}

export function preemptionCount(trace: Trace): number {
  return trace.filter((event) => event.type === "move" && event.preemption).length;
}
