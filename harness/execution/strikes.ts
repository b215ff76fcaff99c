import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import { type Choice, laneOf } from "../core/schedule.ts";
import type { LockWaits } from "../gates/lock-waits.ts";
import type { Session } from "../gates/session.ts";
import type { Clients } from "./clients.ts";
import type { Flight, Lanes } from "./lanes.ts";
import type { Recording } from "./recording.ts";
import type { Rest } from "./rest.ts";
import type { Sleepers } from "./sleepers.ts";

/** The faults that can strike a statement where it is. */
function faultsOf({ stage, gate, doomed }: Flight): readonly Fault[] {
  switch (stage) {
    case "held":
      return [
        ...(gate === undefined ? (["cut-before"] as const) : (["cancel"] as const)),
        ...(doomed ? [] : (["cut-after"] as const)),
        "terminate",
      ];
    case "database":
      return ["cancel", "terminate"];
    case "answered":
      return doomed ? [] : ["cut-after"];
    case "woken":
      return [];
  }
}

/** What strikes need of an execution. */
interface Struck<State extends Json, C extends Command> {
  readonly clients: Clients<State, C>;
  readonly lanes: Lanes;
  readonly rest: Rest;
  readonly sleepers: Sleepers;
  readonly recording: Recording<C>;
  readonly lockWaits: LockWaits;
}

/** Lets faults strike. It is no rest until all that a fault ends has ended. */
export class Strikes<State extends Json, C extends Command> {
  readonly #struck: Struck<State, C>;
  /** Sessions that the server was told to end, until it has. */
  readonly #terminated = new Set<Session>();

  constructor(struck: Struck<State, C>) {
    this.#struck = struck;
  }

  /** Whether a session is ending. */
  get unsettled(): boolean {
    return this.#terminated.size > 0;
  }

  /** All that can strike now, in a fixed order. */
  possible(): Choice[] {
    const { clients, lanes } = this.#struck;
    // A client with connections of its own waits for no service that could go on without it.
    const waiting = clients.waiting().filter((client) => {
      const flights = lanes.of(client);
      return flights.length > 0 && flights.every(({ session }) => session.client === undefined);
    });
    return [
      ...lanes
        .all()
        .flatMap((flight): Choice[] =>
          faultsOf(flight).map((action) => ({ lane: flight.lane, action })),
        ),
      ...waiting.map((client): Choice => ({ lane: laneOf(client, 0), action: "give-up" })),
      ...clients.retries(),
    ];
  }

  /** What does not strike a statement, but is a client's own doing. */
  byClient(client: number, fault: Fault): void {
    const { clients, lanes, recording } = this.#struck;
    const lane = laneOf(client, 0);
    if (fault === "retry") clients.send(client, "retry");
    else {
      const becomes = laneOf(clients.nobody, 0);
      recording.add({ type: "fault", lane, fault, becomes });
      lanes.handOver(client, clients.giveUp(client));
    }
  }

  /** `cut-after` only marks the statement, which then goes on; see `lost`. */
  strike(flight: Flight, fault: Fault): void {
    const { sleepers, lanes, lockWaits } = this.#struck;
    const { session } = flight;
    if (fault === "cut-after") {
      flight.doomed = true;
      return;
    }
    this.#record(flight, fault);
    // It does not sleep on: whoever else waits does, while this one ends.
    flight.waiting = false;
    sleepers.freeze();
    if (fault === "cancel") {
      flight.stage = "database";
      flight.gate = undefined;
      this.#until(lockWaits.cancel(session.pid));
      return;
    }
    lanes.land(session);
    if (fault === "cut-before") session.cut();
    else {
      session.doomed = true;
      this.#terminated.add(session);
      this.#until(lockWaits.end(session.pid));
    }
  }

  /** The answer to a marked statement is there, and is lost. */
  lost(flight: Flight): void {
    this.#record(flight, "cut-after");
    flight.session.cut();
  }

  /** A session has ended. */
  closed(session: Session): void {
    this.#terminated.delete(session);
  }

  #record({ lane, stage, gate, statement }: Flight, fault: Fault): void {
    const held = stage === "held" && gate === undefined;
    this.#struck.recording.add({ type: "fault", lane, fault, ...(held && { statement }) });
  }

  #until(work: Promise<unknown>): void {
    work.catch((error: HarnessError) => this.#struck.rest.fail(error));
  }
}
