import type { Operation } from "../core/operation.ts";
import type { Place, Result, TraceEvent } from "../core/trace.ts";
import type { Gate, PendingStatement, ProxySession } from "../proxy/pending-statement.ts";
import type { PendingStatements, WaitGraph } from "./pending-statements.ts";

/** Records the trace of an execution in an order that depends on the schedule alone. */
export class Recording<Op extends Operation> {
  readonly trace: TraceEvent<Op>[] = [];
  readonly #places: ReadonlyMap<number, Place>;
  /** What the trace has last of each session: a statement can keep its result when its state changes. */
  readonly #recorded = new Map<ProxySession, Gate | Result>();

  /** @param places the places of the gates inside the server, by number */
  constructor(places: ReadonlyMap<number, Place>) {
    this.#places = places;
  }

  add(event: TraceEvent<Op>): void {
    this.trace.push(event);
  }

  /** Adds the gate that a statement has reached, or the result that it has, unless that was done. */
  addServerEvent({ task, session, state }: PendingStatement): void {
    if (state.at === "gate" && this.#isNew(session, state.gate)) {
      const { place } = state.gate;
      const unknown = { of: "?", line: null, next: `gate ${place}` };
      this.trace.push({ type: "gate", task, place: this.#places.get(place) ?? unknown });
    } else if (state.at === "answered" || state.at === "lost") {
      const { result } = state;
      if (result && this.#isNew(session, result)) this.trace.push({ type: "result", task, result });
    }
  }

  #isNew(session: ProxySession, event: Gate | Result): boolean {
    if (this.#recorded.get(session) === event) return false;
    this.#recorded.set(session, event);
    return true;
  }

  /**
   * Adds, by task, what the server did for all tasks but the running one, whose events are added as
   * they come. The order in which the harness read about simultaneous events is no property of the
   * execution. A wait is added when it begins and when the tasks that it is for change.
   */
  addAtQuiescence(statements: PendingStatements, waits: WaitGraph): void {
    for (const pending of statements.all()) {
      this.addServerEvent(pending);
      const holders = waits.get(pending) ?? [];
      if (holders.length > 0 && holders.join() !== statements.waitsFor(pending).join()) {
        this.trace.push({ type: "wait", task: pending.task, for: holders });
      }
    }
  }
}
