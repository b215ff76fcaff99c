import type { Result, Statement } from "../core/trace.ts";
import { OwnTimeout } from "./own-timeout.ts";
import {
  type BackendSignals,
  type Gate,
  PendingStatement,
  type ProxySession,
  type StatementState,
} from "./pending-statement.ts";

/** A session without connections, which records the calls on it and on its statements. */
export class FakeSession implements ProxySession {
  readonly pid: number;
  readonly origin: ProxySession["origin"];
  readonly calls: string[] = [];
  transaction: ProxySession["transaction"] = "idle";
  isolates = false;
  isBusy = false;
  readonly ownTimeout = new OwnTimeout();
  rows = "";

  constructor(pid: number, origin: ProxySession["origin"] = {}) {
    this.pid = pid;
    this.origin = origin;
  }

  rowsDigest(): string {
    return this.rows;
  }

  cut(): void {
    this.calls.push("cut");
  }

  close(): void {
    this.calls.push("close");
  }

  expectEnd(): void {
    this.calls.push("expectEnd");
  }

  ignoreServer(): void {
    this.calls.push("ignoreServer");
  }

  /** A request of this session that has just arrived. */
  hold(statement: Statement = SELECT): PendingStatement {
    return new PendingStatement(this, statement, {
      forward: () => this.calls.push("forward"),
      reply: () => this.calls.push("reply"),
    });
  }

  /** Signals whose calls are recorded. */
  get signals(): BackendSignals {
    return {
      stop: (pid) => this.calls.push(`stop ${pid}`),
      resume: (pid) => this.calls.push(`resume ${pid}`),
    };
  }

  /** A gate before that place. */
  gate(place: number): Gate {
    return { place, open: () => this.calls.push(`open ${place}`) };
  }
}

export const SELECT: Statement = { sql: "select 1", values: [] };
export const RESULT: Result = { tags: ["SELECT 1"], transaction: "idle" };

/** Takes a statement that has arrived to each state. */
const PATHS: {
  readonly [state in StatementState["at"]]: (
    pending: PendingStatement,
    session: FakeSession,
  ) => void;
} = {
  held: () => {},
  running: (pending) => pending.release(),
  gate: (pending, session) => {
    pending.release();
    pending.reachGate(session.gate(1));
  },
  waiting: (pending) => {
    pending.release();
    pending.waitForLock();
  },
  stopped: (pending, session) => {
    pending.release();
    pending.waitForLock();
    pending.stop(session.signals);
  },
  woken: (pending, session) => {
    pending.release();
    pending.waitForLock();
    pending.stop(session.signals);
    pending.wake();
  },
  answered: (pending) => {
    pending.release();
    pending.answer(RESULT);
  },
  lost: (pending) => {
    pending.loseResponse("cut-after");
    pending.release();
    pending.answer(RESULT);
  },
  complete: (pending) => {
    pending.release();
    pending.answer(RESULT);
    pending.deliver();
  },
};

/** Drives a statement that has arrived to a state, and forgets the calls on its session. */
export function drive(pending: PendingStatement, session: FakeSession, to: StatementState["at"]) {
  PATHS[to](pending, session);
  session.calls.splice(0);
}

export const STATES = Object.keys(PATHS) as readonly StatementState["at"][];
