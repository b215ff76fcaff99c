import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { BACKGROUND, clientOf } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { GateObserver } from "../proxy/observer.ts";
import type { ProxySession } from "../proxy/session.ts";
import type { BlockedBackends } from "./blocked-backends.ts";
import type { Clients } from "./clients.ts";
import type { ExecutionContext } from "./execution-context.ts";
import type { FaultInjector } from "./fault-injector.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Recording } from "./recording.ts";
import { StepFootprints } from "./step-footprints.ts";

/** The parts of a run that have to do with statements. */
interface Parts<State extends Json, Op extends Operation> {
  readonly clients: Clients<State, Op>;
  readonly pending: PendingStatements;
  readonly recording: Recording<Op>;
  readonly rest: Quiescence;
  readonly sleepers: BlockedBackends;
  readonly strikes: FaultInjector<State, Op>;
}

/** Statements on their way: what the gates tell of them, and how they are let go. */
export class StatementRouter<State extends Json, Op extends Operation>
  implements GateObserver<ProxySession>
{
  /** The client that may be inside the service: at most one, or the background's -1. */
  running: number | undefined;
  /** Clients of which a statement has arrived. */
  readonly heard = new Set<number>();
  readonly footprints: StepFootprints | undefined;
  readonly #stage: ExecutionContext<State, Op>;
  readonly #parts: Parts<State, Op>;

  constructor(stage: ExecutionContext<State, Op>, parts: Parts<State, Op>) {
    this.#stage = stage;
    this.#parts = parts;
    this.footprints = stage.footprints && new StepFootprints(stage.footprints, parts.pending);
  }

  /** Lets a statement that is held go on, or the service hear an answer that is. */
  goOn(flight: PendingStatement): void {
    if (flight.stage === "answered") this.#deliver(flight);
    else this.#release(flight);
  }

  arrived(session: ProxySession, statement: Statement): void {
    if (this.#parts.strikes.passes(session)) {
      session.release();
      return;
    }
    const active = (client: number) => this.#parts.clients.isActive(client);
    const { pending } = this.#parts;
    const told = this.#stage.system.ownerOf?.(session.pid);
    pending.arrive(session, statement, told ?? this.running ?? clientOf(BACKGROUND), active);
    const flight = pending.on(session);
    if (flight !== undefined) this.heard.add(clientOf(flight.task));
    this.#parts.rest.disturb();
  }

  reached(session: ProxySession, gate: GatePlace): void {
    const flight = this.#parts.pending.on(session);
    if (flight === undefined) {
      this.#stage.proxy.pass(session, gate);
      return;
    }
    const unknown = { of: "?", line: null, next: `gate ${gate.place}` };
    const place = this.#stage.places.get(gate.place) ?? unknown;
    flight.stage = "held";
    flight.gate = gate;
    flight.waiting = false;
    flight.unsaid = { type: "gate", task: flight.task, place };
    if (clientOf(flight.task) === this.running) this.#parts.recording.heard(flight);
    this.#parts.rest.disturbInside();
  }

  answered(session: ProxySession, result: Result): void {
    const flight = this.#parts.pending.on(session);
    if (flight === undefined) {
      session.deliver();
      return;
    }
    flight.unsaid = { type: "result", task: flight.task, result };
    flight.stage = "answered";
    // The running client's own answer is no choice: it goes straight on.
    if (clientOf(flight.task) === this.running) this.#deliver(flight);
    this.#parts.rest.disturbInside();
  }

  notified(session: ProxySession): void {
    this.arrived(session, { sql: "(a notification)", values: [] });
    this.answered(session, { tags: ["NOTIFICATION"], transaction: session.transaction });
  }

  lockWait(session: ProxySession, state: "waiting" | "acquired"): void {
    const flight = this.#parts.pending.on(session);
    if (flight !== undefined) flight.waiting = state === "waiting";
    this.#parts.rest.disturbInside();
  }

  closed(session: ProxySession): void {
    this.footprints?.closed(session);
    this.#parts.pending.land(session);
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

  #release(flight: PendingStatement): void {
    const { gate, task, session, statement } = flight;
    this.#parts.sleepers.freeze();
    this.footprints?.onRelease(flight);
    flight.stage = "database";
    flight.gate = undefined;
    if (gate !== undefined) this.#stage.proxy.pass(session, gate);
    else {
      this.#parts.recording.add({ type: "statement", task, statement });
      session.release();
    }
  }

  #deliver(flight: PendingStatement): void {
    this.#parts.rest.disturb();
    this.#parts.recording.heard(flight);
    this.#parts.pending.land(flight.session);
    if (flight.doomed) this.#parts.strikes.lost(flight, flight.doomed);
    else flight.session.deliver();
  }
}
