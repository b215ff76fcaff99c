import type { Operation } from "../core/operation.ts";
import type { Task } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { PendingStatement } from "./pending-statements.ts";

/** Writes down what happens in an execution, in an order that does not depend on chance. */
export class Recording<Op extends Operation> {
  readonly trace: TraceEvent<Op>[] = [];

  add(event: TraceEvent<Op>): void {
    this.trace.push(event);
  }

  /** All since the last move. */
  lastStep(): readonly TraceEvent<Op>[] {
    return this.trace.slice(this.trace.findLastIndex(({ type }) => type === "move"));
  }

  /** What the server did with a flight of the running client is written down as it comes. */
  heard(flight: PendingStatement): void {
    if (flight.unsaid === undefined) return;
    this.trace.push(flight.unsaid);
    flight.unsaid = undefined;
  }

  /**
   * What happened beside the running client is written down at rest, by task: which of two things
   * that the server did at the same time was heard of first is no property of the execution.
   */
  atRest(
    flights: readonly PendingStatement[],
    waits: ReadonlyMap<PendingStatement, readonly Task[]>,
  ): void {
    for (const flight of flights) {
      this.heard(flight);
      const holders = waits.get(flight) ?? [];
      if (holders.length > 0 && holders.join() !== flight.waitsFor.join()) {
        this.trace.push({ type: "wait", task: flight.task, for: holders });
      }
      flight.waitsFor = holders;
    }
  }
}
