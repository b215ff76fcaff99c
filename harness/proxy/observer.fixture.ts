import type { HarnessError } from "../core/error.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { GateObserver } from "./observer.ts";
import type { ProxySession } from "./session.ts";

export type GateEvent =
  | { readonly type: "arrived"; readonly session: ProxySession; readonly statement: Statement }
  | { readonly type: "reached"; readonly session: ProxySession; readonly gate: GatePlace }
  | { readonly type: "answered"; readonly session: ProxySession; readonly result: Result }
  | {
      readonly type: "waiting" | "acquired" | "closed" | "notified";
      readonly session: ProxySession;
    }
  | { readonly type: "failed"; readonly error: HarnessError };

type Of<T extends GateEvent["type"]> = GateEvent & { readonly type: T };

/** Keeps what it is told. Lets nothing move on by itself, or everything. */
export class Recorder implements GateObserver<ProxySession> {
  readonly events: GateEvent[] = [];
  readonly #letsGo: boolean;
  #read = 0;
  #wake: (() => void) | undefined;

  constructor({ letsGo = false } = {}) {
    this.#letsGo = letsGo;
  }

  /** The next event that has not been read, which has to be of that type. */
  async next<T extends GateEvent["type"]>(type: T): Promise<Of<T>> {
    while (this.#read === this.events.length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.events[this.#read++];
    if (event?.type !== type) throw new Error(`expected ${type}, and was told of ${event?.type}`);
    return event as Of<T>;
  }

  arrived(session: ProxySession, statement: Statement): void {
    this.#tell({ type: "arrived", session, statement });
    if (this.#letsGo) session.release();
  }

  reached(session: ProxySession, gate: GatePlace): void {
    this.#tell({ type: "reached", session, gate });
  }

  answered(session: ProxySession, result: Result): void {
    this.#tell({ type: "answered", session, result });
    if (this.#letsGo) session.deliver();
  }

  notified(session: ProxySession): void {
    this.#tell({ type: "notified", session });
    if (this.#letsGo) session.deliver();
  }

  lockWait(session: ProxySession, type: "waiting" | "acquired"): void {
    this.#tell({ type, session });
  }

  closed(session: ProxySession): void {
    this.#tell({ type: "closed", session });
  }

  settled(): void {}

  failed(error: HarnessError): void {
    this.#tell({ type: "failed", error });
  }

  #tell(event: GateEvent): void {
    this.events.push(event);
    this.#wake?.();
  }
}
