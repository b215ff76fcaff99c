import type { HarnessError } from "../core/error.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";

/** Is told what happens on the sessions of a gated proxy. Nothing moves on until it says so. */
export interface GateObserver<Session> {
  /** A request arrived from the service and is held until `session.release()`. */
  arrived(session: Session, statement: Statement): void;
  /** A statement stands at a gate inside the server, until `proxy.pass()`. */
  reached(session: Session, gate: GatePlace): void;
  /** The server answered; the answer is held until `session.deliver()`. */
  answered(session: Session, result: Result): void;
  /** The server notified a session that was idle; that is held until `session.deliver()`. */
  notified(session: Session): void;
  /** The server says that the session began, or ended, to wait for a lock. */
  lockWait(session: Session, state: "waiting" | "acquired"): void;
  /** The service ended the session. */
  closed(session: Session): void;
  /** A session has been opened, or the server is done with one that ended. */
  settled(): void;
  /** Something that the gate cannot control, or an interference from outside. */
  failed(error: HarnessError): void;
}
