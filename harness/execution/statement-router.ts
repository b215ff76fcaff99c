import type { HarnessError } from "../core/error.ts";
import type { Operation } from "../core/operation.ts";
import { BACKGROUND, clientOf } from "../core/schedule.ts";
import type { PendingStatement, ProxySession } from "../proxy/pending-statement.ts";
import type { GateObserver } from "../proxy/session.ts";
import type { BlockedBackends } from "./blocked-backends.ts";
import type { FaultInjector } from "./fault-injector.ts";
import type { PendingStatements } from "./pending-statements.ts";
import type { Polling } from "./polling.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Recording } from "./recording.ts";
import type { StepFootprints } from "./step-footprints.ts";

/** Routes statements between the proxy and the scheduler: what has arrived, and what moves on. */
export class StatementRouter<Op extends Operation> implements GateObserver {
  /** The client that may be inside the service: at most one, or the background's -1. */
  running: number | undefined;
  readonly #clientsWithStatements = new Set<number>();
  readonly #statements: PendingStatements;
  readonly #blocked: Pick<BlockedBackends, "stopWaiting">;
  readonly #faults: Pick<FaultInjector, "passes" | "lose" | "closed">;
  readonly #quiescence: Pick<Quiescence, "noteActivity" | "noteServerActivity" | "fail">;
  readonly #recording: Pick<Recording<Op>, "add" | "addServerEvent">;
  readonly #footprints: Pick<StepFootprints, "onRelease" | "closed" | "waitedOutside"> | undefined;
  readonly #polling: Pick<Polling, "completed">;

  constructor(
    statements: PendingStatements,
    blocked: Pick<BlockedBackends, "stopWaiting">,
    faults: Pick<FaultInjector, "passes" | "lose" | "closed">,
    quiescence: Pick<Quiescence, "noteActivity" | "noteServerActivity" | "fail">,
    recording: Pick<Recording<Op>, "add" | "addServerEvent">,
    footprints: Pick<StepFootprints, "onRelease" | "closed" | "waitedOutside"> | undefined,
    polling: Pick<Polling, "completed">,
  ) {
    this.#statements = statements;
    this.#blocked = blocked;
    this.#faults = faults;
    this.#quiescence = quiescence;
    this.#recording = recording;
    this.#footprints = footprints;
    this.#polling = polling;
  }

  /** Whether a statement of the client has arrived in this execution. */
  hasSeen(client: number): boolean {
    return this.#clientsWithStatements.has(client);
  }

  /** The running client waits for something outside the database, and the others go on. */
  waitsOutside(): void {
    this.#footprints?.waitedOutside();
    this.running = undefined;
  }

  /** Releases a statement that is held, and delivers a response that is. */
  moveOn(pending: PendingStatement): void {
    if (pending.state.at === "held" || pending.state.at === "gate") this.#release(pending);
    else this.#deliver(pending);
  }

  arrived(pending: PendingStatement): void {
    if (this.#faults.passes(pending.session)) pending.release();
    else this.#schedule(pending);
  }

  reachedGate(pending: PendingStatement): void {
    if (!this.#statements.has(pending)) {
      pending.release();
      return;
    }
    if (clientOf(pending.task) === this.running) this.#recording.addServerEvent(pending);
    this.#quiescence.noteServerActivity();
  }

  answered(pending: PendingStatement): void {
    if (!this.#statements.has(pending)) {
      pending.deliver();
      return;
    }
    // The running client's own answer is no choice of the scheduler.
    if (clientOf(pending.task) === this.running) this.#deliver(pending);
    this.#quiescence.noteServerActivity();
  }

  notified(pending: PendingStatement): void {
    if (!this.#faults.passes(pending.session)) this.#schedule(pending);
    this.answered(pending);
  }

  lockWait(): void {
    this.#quiescence.noteServerActivity();
  }

  closed(session: ProxySession): void {
    this.#footprints?.closed(session);
    this.#statements.remove(session);
    this.#faults.closed(session);
    this.#quiescence.noteActivity();
  }

  settled(): void {
    this.#quiescence.noteActivity();
  }

  failed(error: HarnessError): void {
    this.#quiescence.fail(error);
  }

  #schedule(pending: PendingStatement): void {
    this.#statements.add(pending, this.running ?? clientOf(BACKGROUND));
    this.#clientsWithStatements.add(clientOf(pending.task));
    this.#quiescence.noteActivity();
  }

  #release(pending: PendingStatement): void {
    const { task, statement, state } = pending;
    this.#blocked.stopWaiting();
    this.#footprints?.onRelease(pending);
    if (state.at === "held") this.#recording.add({ type: "statement", task, statement });
    pending.release();
  }

  #deliver(pending: PendingStatement): void {
    this.#quiescence.noteActivity();
    this.#recording.addServerEvent(pending);
    if (pending.state.at === "answered") {
      this.#polling.completed(pending, pending.state.result, pending.session.rowsDigest());
    }
    this.#statements.remove(pending.session);
    if (pending.state.at === "lost") this.#faults.lose(pending);
    else pending.deliver();
  }
}
