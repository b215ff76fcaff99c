import { BACKGROUND, type Task } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { ConnectionOrigin } from "./endpoint.ts";
import type { OwnTimeout } from "./own-timeout.ts";

/** One connection of the service through the proxy, as far as statements and their scheduler use it. */
export interface ProxySession {
  /** The backend's process id; 0 until the server has sent it. */
  readonly pid: number;
  readonly origin: ConnectionOrigin;
  /** The state of its transaction, from the last ReadyForQuery. */
  readonly transaction: Result["transaction"];
  /** Whether its startup packet, or a statement, may have set its default isolation level. */
  readonly isolates: boolean;
  readonly ownTimeout: OwnTimeout;
  /** Whether it has a statement under way. */
  readonly isBusy: boolean;
  /** The rows, or a hash of them, that the server has sent and the service does not have yet. */
  rowsDigest(): string;
  /** Ends the session as if the service had closed its connection. */
  cut(): void;
  /** Ends the session at once, without a call of the observer. */
  close(): void;
  /** The server is about to end the session because a fault asked for it: that is no failure. */
  expectEnd(): void;
  /** Ignores the server from now on; the service keeps its connection until `cut`. */
  ignoreServer(): void;
}

/** A place before which a statement under way is held, inside the server or inside its message. */
export interface Gate {
  /** The number of the place (see `InnerGates.places`). */
  readonly place: number;
  /** Whether the proxy holds it in the middle of its message, where the server ignores a cancel. */
  readonly inMessage?: boolean;
  /** Lets the statement continue to its next gate, or to its answer. */
  open(): void;
}

/** Stops and resumes a backend by its process id. */
export interface BackendSignals {
  stop(pid: number): void;
  resume(pid: number): void;
}

/** The bytes of one statement: both functions are called at most once. */
interface StatementBytes {
  /** Sends the request to the server. */
  forward(): void;
  /** Sends the response to the service, which may send its next request at once. */
  reply(): void;
}

/** The faults by which the service never gets the response to a statement. */
export type ResponseFault = "cut-after" | "kill-after" | "kill-client-after" | "crash";

/** A statement whose response does not exist yet: the fault, if any, by which it will be lost. */
interface Unanswered {
  readonly lostBy: ResponseFault | undefined;
}

/** Where a statement is. `docs/design/statement.md` describes each state and has the diagram. */
export type StatementState =
  /** The proxy holds the request. */
  | ({ readonly at: "held" } & Unanswered)
  /** The server works on it, or has not reported yet that it waits. */
  | ({ readonly at: "running" } & Unanswered)
  /** It stands before a place inside the server, or inside its message. */
  | ({ readonly at: "gate"; readonly gate: Gate } & Unanswered)
  /** The server has reported that it waits for a lock. */
  | ({ readonly at: "waiting" } & Unanswered)
  /**
   * It waits for a lock, and its backend is stopped while another task runs. `acquired`: the backend had got the
   * lock before it was stopped, and its message came afterwards.
   */
  | ({
      readonly at: "stopped";
      readonly signals: BackendSignals;
      readonly acquired: boolean;
    } & Unanswered)
  /** Its wait has ended, and its backend stays stopped until the scheduler chooses it. */
  | ({ readonly at: "woken"; readonly signals: BackendSignals } & Unanswered)
  /** The proxy holds the response. */
  | { readonly at: "answered"; readonly result: Result }
  /** The response is lost: the service gets the end of its connection instead. */
  | {
      readonly at: "lost";
      readonly by: ResponseFault;
      /** Undefined after a crash: there is no answer. */
      readonly result: Result | undefined;
    }
  /** The service has the response, or the connection has ended. */
  | { readonly at: "complete" };

type StateName = StatementState["at"];

const ANSWER = ["answered", "lost"] as const;
const COMPLETE = ["complete"] as const;
const GATE = ["gate"] as const;
const LOST = ["lost"] as const;
const RUNNING = ["running"] as const;

/**
 * For each transition, the states that it may be taken from and those that it leads to. Every other
 * combination is an error.
 */
export const TRANSITIONS = {
  release: { held: RUNNING, gate: RUNNING },
  reachGate: { running: GATE, gate: GATE, waiting: GATE, stopped: GATE, woken: GATE },
  waitForLock: { running: ["waiting"] },
  acquireLock: { waiting: RUNNING, stopped: ["stopped"] },
  stop: { waiting: ["stopped"] },
  wake: { stopped: ["woken"] },
  resume: { stopped: ["waiting", "running"], woken: RUNNING },
  answer: { running: ANSWER, gate: ANSWER, waiting: ANSWER, stopped: ANSWER, woken: ANSWER },
  deliver: { answered: COMPLETE, lost: COMPLETE },
  cancel: { running: RUNNING, gate: RUNNING, waiting: RUNNING },
  loseResponse: { held: ["held"], gate: GATE, answered: LOST },
  crash: unlessComplete(LOST),
  disconnect: unlessComplete(COMPLETE),
} as const satisfies {
  readonly [transition: string]: { readonly [from in StateName]?: readonly StateName[] };
};

function unlessComplete<T>(to: T): { readonly [from in Exclude<StateName, "complete">]: T } {
  return {
    ...{ held: to, running: to, gate: to, waiting: to, stopped: to, woken: to },
    ...{ answered: to, lost: to },
  };
}

export type Transition = keyof typeof TRANSITIONS;

/** The states that a transition may be taken from. */
type Source<T extends Transition> = Extract<
  StatementState,
  { readonly at: keyof (typeof TRANSITIONS)[T] }
>;

/**
 * A statement that the service has sent and whose response it does not have yet. Its state changes by
 * the methods below alone; each throws an error when it is called in a state that it does not start
 * from (see `TRANSITIONS`). The proxy creates one for each request.
 */
export class PendingStatement {
  readonly session: ProxySession;
  /** The text and its parameters. */
  readonly statement: Statement;
  readonly #bytes: StatementBytes;
  #state: StatementState = { at: "held", lostBy: undefined };
  #task: Task = BACKGROUND;

  constructor(session: ProxySession, statement: Statement, bytes: StatementBytes) {
    this.session = session;
    this.statement = statement;
    this.#bytes = bytes;
  }

  /** A message that the server sent to an idle session: a response without a request. */
  static notification(session: ProxySession, reply: () => void): PendingStatement {
    const bytes = { forward: () => {}, reply };
    const pending = new PendingStatement(session, { sql: "(a notification)", values: [] }, bytes);
    const result = { tags: ["NOTIFICATION"], transaction: session.transaction };
    pending.#state = { at: "answered", result };
    return pending;
  }

  get state(): StatementState {
    return this.#state;
  }

  /** The task that moves it: the background's until it is assigned to another one. */
  get task(): Task {
    return this.#task;
  }

  /** Makes it the statement of another task, for instance when its client gives up. */
  assignTo(task: Task): void {
    this.#task = task;
  }

  /** Whether the server has the request and has not answered it. */
  get isInServer(): boolean {
    return startsFrom("answer", this.#state);
  }

  /** The scheduler releases it from the place where it is held. */
  release(): void {
    const state = this.#from("release");
    this.#become({ at: "running", lostBy: state.lostBy });
    if (state.at === "held") this.#bytes.forward();
    else state.gate.open();
  }

  /** The server, or the proxy, reports that it stands at a gate. */
  reachGate(gate: Gate): void {
    const { lostBy } = this.#from("reachGate");
    this.#become({ at: "gate", gate, lostBy });
  }

  /** The server reports that it waits for a lock. */
  waitForLock(): void {
    const { lostBy } = this.#from("waitForLock");
    this.#become({ at: "waiting", lostBy });
  }

  /** The server reports that it has got the lock that it waited for. */
  acquireLock(): void {
    const state = this.#from("acquireLock");
    if (state.at === "stopped") this.#become({ ...state, acquired: true });
    else this.#become({ at: "running", lostBy: state.lostBy });
  }

  /** Stops its backend while another task runs. */
  stop(signals: BackendSignals): void {
    const { lostBy } = this.#from("stop");
    this.#become({ at: "stopped", signals, acquired: false, lostBy });
    signals.stop(this.session.pid);
  }

  /** Its wait has ended. */
  wake(): void {
    const { signals, lostBy } = this.#from("wake");
    this.#become({ at: "woken", signals, lostBy });
  }

  /** Resumes its backend: it still waits or, if it was woken or has got the lock, continues. */
  resume(): void {
    const state = this.#from("resume");
    const waits = state.at === "stopped" && !state.acquired;
    this.#become({ at: waits ? "waiting" : "running", lostBy: state.lostBy });
  }

  /** The server has answered. */
  answer(result: Result): void {
    const { lostBy } = this.#from("answer");
    this.#become(
      lostBy === undefined ? { at: "answered", result } : { at: "lost", by: lostBy, result },
    );
  }

  /** Sends the response to the service, or cuts the connection where the response is lost. */
  deliver(): void {
    const { at } = this.#from("deliver");
    this.#become({ at: "complete" });
    if (at === "answered") this.#bytes.reply();
    else this.session.cut();
  }

  /** The server is asked to cancel it, at whichever place it stands. */
  cancel(): void {
    const { lostBy } = this.#from("cancel");
    this.#become({ at: "running", lostBy });
  }

  /** A fault has been injected by which the service will not get the response. */
  loseResponse(by: Exclude<ResponseFault, "crash">): void {
    const state = this.#from("loseResponse");
    if (state.at === "answered") this.#become({ at: "lost", by, result: state.result });
    else if (state.lostBy === undefined) this.#become({ ...state, lostBy: by });
    else throw new Error(`the response to a statement is lost twice: ${state.lostBy} and ${by}`);
  }

  /** The server was killed. Its backend is gone, stopped or not. */
  crash(): void {
    const state = this.#from("crash");
    const result = "result" in state ? state.result : undefined;
    this.#state = { at: "lost", by: "crash", result };
  }

  /** The connection has ended. */
  disconnect(): void {
    this.#from("disconnect");
    this.#become({ at: "complete" });
  }

  /** The present state, from which `transition` may be taken; throws an error if it may not. */
  #from<T extends Transition>(transition: T): Source<T> {
    const state = this.#state;
    if (!startsFrom(transition, state)) {
      throw new Error(`${transition} is no transition of a statement that is ${state.at}`);
    }
    return state;
  }

  /** A backend that was stopped is resumed by whatever takes the statement out of that state. */
  #become(next: StatementState): void {
    const previous = this.#state;
    this.#state = next;
    const stays = next.at === "stopped" || next.at === "woken";
    if ("signals" in previous && !stays) previous.signals.resume(this.session.pid);
  }
}

function startsFrom<T extends Transition>(
  transition: T,
  state: StatementState,
): state is Source<T> {
  return Object.hasOwn(TRANSITIONS[transition], state.at);
}
