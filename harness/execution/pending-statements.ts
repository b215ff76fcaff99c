import { type Choice, clientOf, type Task, taskOf } from "../core/schedule.ts";
import type { Statement, TraceEvent } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { ProxySession } from "../proxy/session.ts";

/** A statement that is under way, and where it is. */
export interface PendingStatement {
  task: Task;
  readonly session: ProxySession;
  readonly statement: Statement;
  /** `woken`: its wait has ended, and it is frozen until it is chosen. */
  stage: "held" | "database" | "woken" | "answered";
  /** Its backend is stopped. */
  frozen: boolean;
  /** The gate inside the server at which it is held; undefined when it is not there yet. */
  gate: GatePlace | undefined;
  /** The server said that the session waits, after its deadlock check found nothing. */
  waiting: boolean;
  /** Whom it was last seen to wait for. */
  waitsFor: readonly Task[];
  /** That by which the service will never hear its answer. */
  doomed: "cut-after" | "kill-after" | "crash" | undefined;
  /** What the server did with it, as long as the trace does not say it. */
  unsaid: Extract<TraceEvent, { readonly type: "result" | "gate" }> | undefined;
}

/** All statements that are under way, by session, and whose each session is. */
export class PendingStatements {
  readonly #flights = new Map<ProxySession, PendingStatement>();
  /** In order, until that changes. */
  #sorted: readonly PendingStatement[] | undefined;
  /** Who used a session last. */
  readonly #clients = new Map<ProxySession, number>();

  /**
   * A statement arrived while `running` was in the service (-1: nobody). It is of the client whose
   * session it is; if that is not known, the running one's, unless it goes on with a transaction of
   * another one whose operation is under way.
   */
  arrive(
    session: ProxySession,
    statement: Statement,
    running: number,
    active: (client: number) => boolean,
  ): void {
    const owner = this.#clients.get(session);
    const goesOn = owner !== undefined && session.transaction !== "idle" && active(owner);
    const client = session.origin.client ?? (goesOn ? owner : running);
    this.#clients.set(session, client);
    const taken = new Set(this.of(client).map((flight) => flight.task));
    let ordinal = 0;
    while (taken.has(taskOf(client, ordinal))) ordinal++;
    this.#sorted = undefined;
    this.#flights.set(session, {
      task: taskOf(client, ordinal),
      session,
      statement,
      stage: "held",
      frozen: false,
      gate: undefined,
      waiting: false,
      waitsFor: [],
      doomed: undefined,
      unsaid: undefined,
    });
  }

  /** All that is `client`'s is from now on `other`'s, who had nothing. */
  handOver(client: number, other: number): void {
    const flights = this.of(client);
    this.#sorted = undefined;
    for (const flight of flights) {
      flight.task = taskOf(other, Number(flight.task.split(".")[1] ?? 0));
    }
    for (const [session, owner] of this.#clients) {
      if (owner === client) this.#clients.set(session, other);
    }
  }

  land(session: ProxySession): void {
    if (this.#flights.delete(session)) this.#sorted = undefined;
  }

  on(session: ProxySession): PendingStatement | undefined {
    return this.#flights.get(session);
  }

  /** In the fixed order: by client, then by connection; the background last. */
  all(): readonly PendingStatement[] {
    this.#sorted ??= [...this.#flights.values()].sort((a, b) => compareTasks(a.task, b.task));
    return this.#sorted;
  }

  of(client: number): PendingStatement[] {
    return this.all().filter((flight) => clientOf(flight.task) === client);
  }

  inDatabase(): PendingStatement[] {
    return this.all().filter((flight) => flight.stage === "database");
  }

  /** The task to name for a session that holds a lock, whether a statement is under way or not. */
  nameOf(session: ProxySession): Task {
    return this.#flights.get(session)?.task ?? taskOf(this.#clients.get(session) ?? -1, 0);
  }
}

export function compareTasks(a: Task, b: Task): number {
  const rank = (task: Task) => (clientOf(task) < 0 ? Number.POSITIVE_INFINITY : clientOf(task));
  if (rank(a) === rank(b)) return a.localeCompare(b, "en", { numeric: true });
  return rank(a) < rank(b) ? -1 : 1;
}

export function choiceOf(flight: PendingStatement): Choice | undefined {
  if (flight.stage === "held") return { task: flight.task, action: "release" };
  if (flight.stage === "answered") return { task: flight.task, action: "deliver" };
  if (flight.stage === "woken") return { task: flight.task, action: "wake" };
  return undefined;
}
