import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import { BACKGROUND, clientOf } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../gates/gate-locks.ts";
import type { GateObserver } from "../gates/observer.ts";
import type { Session } from "../gates/session.ts";
import type { Clients } from "./clients.ts";
import type { Flight, Lanes } from "./lanes.ts";
import type { Recording } from "./recording.ts";
import type { Rest } from "./rest.ts";
import type { Sleepers } from "./sleepers.ts";
import type { Stage } from "./stage.ts";
import { StepFootprints } from "./step-footprints.ts";
import type { Strikes } from "./strikes.ts";

/** The parts of a run that have to do with statements. */
interface Parts<State extends Json, C extends Command> {
  readonly clients: Clients<State, C>;
  readonly lanes: Lanes;
  readonly recording: Recording<C>;
  readonly rest: Rest;
  readonly sleepers: Sleepers;
  readonly strikes: Strikes<State, C>;
}

/** Statements on their way: what the gates tell of them, and how they are let go. */
export class Traffic<State extends Json, C extends Command> implements GateObserver<Session> {
  /** The client that may be inside the service: at most one, or the background's -1. */
  running: number | undefined;
  /** Clients of which a statement has arrived. */
  readonly heard = new Set<number>();
  readonly footprints: StepFootprints | undefined;
  readonly #stage: Stage<State, C>;
  readonly #parts: Parts<State, C>;

  constructor(stage: Stage<State, C>, parts: Parts<State, C>) {
    this.#stage = stage;
    this.#parts = parts;
    this.footprints = stage.footprints && new StepFootprints(stage.footprints, parts.lanes);
  }

  /** Lets a statement that is held go on, or the service hear an answer that is. */
  goOn(flight: Flight): void {
    if (flight.stage === "answered") this.#deliver(flight);
    else this.#release(flight);
  }

  arrived(session: Session, statement: Statement): void {
    if (this.#parts.strikes.passes(session)) {
      session.release();
      return;
    }
    const active = (client: number) => this.#parts.clients.isActive(client);
    const { lanes } = this.#parts;
    const told = this.#stage.system.ownerOf?.(session.pid);
    lanes.arrive(session, statement, told ?? this.running ?? clientOf(BACKGROUND), active);
    const flight = lanes.on(session);
    if (flight !== undefined) this.heard.add(clientOf(flight.lane));
    this.#parts.rest.disturb();
  }

  reached(session: Session, gate: GatePlace): void {
    const flight = this.#parts.lanes.on(session);
    if (flight === undefined) {
      this.#stage.proxy.pass(session, gate);
      return;
    }
    const unknown = { of: "?", line: null, next: `gate ${gate.place}` };
    const place = this.#stage.places.get(gate.place) ?? unknown;
    flight.stage = "held";
    flight.gate = gate;
    flight.waiting = false;
    flight.unsaid = { type: "gate", lane: flight.lane, place };
    if (clientOf(flight.lane) === this.running) this.#parts.recording.heard(flight);
    this.#parts.rest.disturbInside();
  }

  answered(session: Session, result: Result): void {
    const flight = this.#parts.lanes.on(session);
    if (flight === undefined) {
      session.deliver();
      return;
    }
    flight.unsaid = { type: "result", lane: flight.lane, result };
    flight.stage = "answered";
    // The running client's own answer is no choice: it goes straight on.
    if (clientOf(flight.lane) === this.running) this.#deliver(flight);
    this.#parts.rest.disturbInside();
  }

  notified(session: Session): void {
    this.arrived(session, { sql: "(a notification)", values: [] });
    this.answered(session, { tags: ["NOTIFICATION"], transaction: session.transaction });
  }

  lockWait(session: Session, state: "waiting" | "acquired"): void {
    const flight = this.#parts.lanes.on(session);
    if (flight !== undefined) flight.waiting = state === "waiting";
    this.#parts.rest.disturbInside();
  }

  closed(session: Session): void {
    this.footprints?.closed(session);
    this.#parts.lanes.land(session);
    this.#parts.strikes.closed(session);
    this.#parts.rest.disturb();
  }

  settled(): void {
    this.#parts.rest.disturb();
  }

  /** Whoever waits for rest is told. */
  failed(error: HarnessError): void {
    this.#parts.rest.fail(error);
  }

  #release(flight: Flight): void {
    const { gate, lane, session, statement } = flight;
    this.#parts.sleepers.freeze();
    this.footprints?.released(flight);
    flight.stage = "database";
    flight.gate = undefined;
    if (gate !== undefined) this.#stage.proxy.pass(session, gate);
    else {
      this.#parts.recording.add({ type: "statement", lane, statement });
      session.release();
    }
  }

  #deliver(flight: Flight): void {
    this.#parts.rest.disturb();
    this.#parts.recording.heard(flight);
    this.#parts.lanes.land(flight.session);
    if (flight.doomed) this.#parts.strikes.lost(flight, flight.doomed);
    else flight.session.deliver();
  }
}
