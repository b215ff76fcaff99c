import type { Event, History } from "./history.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Operation } from "./operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Schedule } from "./schedule.ts";
import type { Trace, TraceEvent } from "./trace.ts";

/** Committed state after an execution: rows by name of what was asked for. */
export type Snapshot = { readonly [name: string]: readonly JsonObject[] };

/** Committed state right after a step in which a transaction was committed. */
export interface Commit {
  /** From 1, in the order of the trace's moves. */
  readonly step: number;
  readonly snapshot: Snapshot;
}

/**
 * How an execution ended. `stuck`: every client that was left waited for something that none of
 * them would ever release, such as a lock of a transaction that its owner left open.
 */
export type Ending =
  | { readonly type: "complete" }
  | { readonly type: "stuck"; readonly waits: string };

/** One run of a scenario under a schedule, and all that was seen of it. */
export interface Execution<State extends Json = Json, Op extends Operation = Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  readonly trace: Trace<Op>;
  readonly ending: Ending;
  /** Sessions that still had a transaction open when all clients were done. */
  readonly openTransactions: number;
  /** Keys of advisory locks that sessions still held then. */
  readonly advisoryLocks?: readonly string[];
  /** Connections that the system's pools had not got back then, where it can tell. */
  readonly connectionsInUse?: number;
  /** What was seen after each commit, in order; only where that was asked for. */
  readonly commits?: readonly Commit[];
  readonly snapshot: Snapshot;
  /** All that is in the database, clock times aside, where the system can tell. */
  readonly contents: Snapshot | undefined;
}

/** What can be said of the committed state, as far as two executions can be compared by it. */
export function finalState({ contents, snapshot }: Execution): Snapshot {
  return contents ?? snapshot;
}

function isHistoryEvent<Op extends Operation>(event: TraceEvent<Op>): event is Event<Op> {
  return event.type === "invoke" || event.type === "return";
}

export function historyOf<Op extends Operation>(trace: Trace<Op>): History<Op> {
  return trace.filter(isHistoryEvent);
}

/** Whether a fault struck. */
export function isFaulty(trace: Trace): boolean {
  return trace.some((event) => event.type === "fault");
}

export function preemptionCount(trace: Trace): number {
  return trace.filter((event) => event.type === "move" && event.preemption).length;
}
