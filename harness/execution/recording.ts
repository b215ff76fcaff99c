import type { Command } from "../core/command.ts";
import type { Lane } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { Flight } from "./lanes.ts";

/** Writes down what happens in an execution, in an order that does not depend on chance. */
export class Recording<C extends Command> {
  readonly trace: TraceEvent<C>[] = [];

  add(event: TraceEvent<C>): void {
    this.trace.push(event);
  }

  /** All since the last move. */
  lastStep(): readonly TraceEvent<C>[] {
    return this.trace.slice(this.trace.findLastIndex(({ type }) => type === "move"));
  }

  /** What the server did with a flight of the running client is written down as it comes. */
  heard(flight: Flight): void {
    if (flight.unsaid === undefined) return;
    this.trace.push(flight.unsaid);
    flight.unsaid = undefined;
  }

  /**
   * What happened beside the running client is written down at rest, by lane: which of two things
   * that the server did at the same time was heard of first is no property of the execution.
   */
  atRest(flights: readonly Flight[], waits: ReadonlyMap<Flight, readonly Lane[]>): void {
    for (const flight of flights) {
      this.heard(flight);
      const holders = waits.get(flight) ?? [];
      if (holders.length > 0 && holders.join() !== flight.waitsFor.join()) {
        this.trace.push({ type: "wait", lane: flight.lane, for: holders });
      }
      flight.waitsFor = holders;
    }
  }
}
