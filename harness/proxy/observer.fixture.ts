import type { HarnessError } from "../core/error.ts";
import type { PendingStatement, ProxySession } from "./pending-statement.ts";
import type { GateObserver } from "./session.ts";

export type GateEvent =
  | {
      readonly type: "arrived" | "reachedGate" | "answered" | "notified" | "waiting" | "acquired";
      readonly pending: PendingStatement;
    }
  | { readonly type: "closed"; readonly session: ProxySession }
  | { readonly type: "failed"; readonly error: HarnessError };

type Of<T extends GateEvent["type"]> = GateEvent & { readonly type: T };

/** Records the events of a proxy. Moves nothing on, or everything at once. */
export class Recorder implements GateObserver {
  readonly events: GateEvent[] = [];
  /** The places of the gates that were reached, in order. */
  readonly places: number[] = [];
  readonly #passes: boolean;
  #read = 0;
  #wake: (() => void) | undefined;

  constructor({ passes = false } = {}) {
    this.#passes = passes;
  }

  /** The next event that has not been read, which has to be of that type. */
  async next<T extends GateEvent["type"]>(type: T): Promise<Of<T>> {
    while (this.#read === this.events.length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.events[this.#read++];
    if (event?.type !== type) throw new Error(`expected ${type}, and got ${event?.type}`);
    return event as Of<T>;
  }

  arrived(pending: PendingStatement): void {
    this.#record({ type: "arrived", pending });
    if (this.#passes) pending.release();
  }

  reachedGate(pending: PendingStatement): void {
    if (pending.state.at === "gate") this.places.push(pending.state.gate.place);
    this.#record({ type: "reachedGate", pending });
    if (this.#passes) pending.release();
  }

  answered(pending: PendingStatement): void {
    this.#record({ type: "answered", pending });
    if (this.#passes) pending.deliver();
  }

  notified(pending: PendingStatement): void {
    this.#record({ type: "notified", pending });
    if (this.#passes) pending.deliver();
  }

  lockWait(pending: PendingStatement, type: "waiting" | "acquired"): void {
    this.#record({ type, pending });
  }

  closed(session: ProxySession): void {
    this.#record({ type: "closed", session });
  }

  settled(): void {}

  failed(error: HarnessError): void {
    this.#record({ type: "failed", error });
  }

  #record(event: GateEvent): void {
    this.events.push(event);
    this.#wake?.();
  }
}

/** The server's answer to a statement. */
export function resultOf({ state }: PendingStatement) {
  if (state.at !== "answered") throw new Error(`the statement is ${state.at}`);
  return state.result;
}
