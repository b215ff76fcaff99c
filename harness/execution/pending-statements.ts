import { type Choice, clientOf, type Task, taskOf } from "../core/schedule.ts";
import type { PendingStatement, ProxySession } from "../proxy/pending-statement.ts";

/**
 * The wait-for graph: for each statement in the server, the tasks that hold what it waits for or are
 * ahead of it in the queue. Without any, its wait has ended while its backend was stopped.
 */
export type WaitGraph = ReadonlyMap<PendingStatement, readonly Task[]>;

/** Which clients are active, and which of them uses a connection. */
interface SessionUse {
  /** Whether an operation of the client is under way. */
  isActive(client: number): boolean;
  /** The client whose request uses the connection of a backend (see `System.ownerOf`), if known. */
  ownerOf(pid: number): number | undefined;
  /** Whether the client has opened a session of its own. */
  hasSessions(client: number): boolean;
}

/** The statements that an execution schedules: at most one for each session, each on a task. */
export class PendingStatements {
  readonly #bySession = new Map<ProxySession, PendingStatement>();
  /** All statements in their order; undefined when that may have changed. */
  #sorted: readonly PendingStatement[] | undefined;
  /** The client that used each session last. */
  readonly #clients = new Map<ProxySession, number>();
  readonly #use: SessionUse;
  #waits: WaitGraph = new Map();

  constructor(use: SessionUse) {
    this.#use = use;
  }

  /**
   * Assigns a statement that has arrived to a task, and schedules it. It belongs to the client of its
   * session, unless another one without sessions of its own is running: then the two share a pool. If the
   * session has no client, the statement belongs to the client whose request uses the connection or,
   * where that is not known, to `running`; unless it continues the transaction of another client whose
   * operation is under way.
   *
   * @param running the client that is in the service; -1 for the background
   */
  add(pending: PendingStatement, running: number): void {
    const { session } = pending;
    const user = this.#use.ownerOf(session.pid) ?? running;
    const last = this.#clients.get(session);
    const continues =
      last !== undefined && session.transaction !== "idle" && this.#use.isActive(last);
    const opener = this.#isBorrowed(session, running) ? undefined : session.origin.client;
    const client = opener ?? (continues ? last : user);
    const { origin } = session;
    if (origin.client !== undefined && client !== origin.client) origin.shared = true;
    this.#clients.set(session, client);
    const taken = new Set(this.of(client).map(({ task }) => task));
    let ordinal = 0;
    while (taken.has(taskOf(client, ordinal))) ordinal++;
    pending.assignTo(taskOf(client, ordinal));
    this.#sorted = undefined;
    this.#bySession.set(session, pending);
  }

  /**
   * Whether the running client uses a session that another one has opened. A client that waits outside
   * the database goes on by itself, so that a statement on its session is its own.
   */
  #isBorrowed({ origin }: ProxySession, running: number): boolean {
    const opener = origin.client;
    if (opener === undefined || opener === running || running < 0) return false;
    if (this.#use.hasSessions(running)) return false;
    return !this.#use.isActive(opener) || this.of(opener).length > 0;
  }

  /** Assigns everything of `client` to `other`, which has nothing yet. */
  reassign(client: number, other: number): void {
    const statements = this.of(client);
    this.#sorted = undefined;
    for (const pending of statements) {
      pending.assignTo(taskOf(other, Number(pending.task.split(".")[1] ?? 0)));
    }
    for (const [session, last] of this.#clients) {
      if (last === client) this.#clients.set(session, other);
    }
  }

  /** Schedules the statement of the session no longer, if there is one. */
  remove(session: ProxySession): void {
    if (this.#bySession.delete(session)) this.#sorted = undefined;
  }

  /** Whether the statement is scheduled; one that is not passes the proxy at once. */
  has(pending: PendingStatement): boolean {
    return this.#bySession.get(pending.session) === pending;
  }

  on(session: ProxySession): PendingStatement | undefined {
    return this.#bySession.get(session);
  }

  /** The statement of a task. */
  find(task: Task): PendingStatement | undefined {
    return this.all().find((pending) => pending.task === task);
  }

  /** All statements in a fixed order: by client, then by task; the background last. */
  all(): readonly PendingStatement[] {
    this.#sorted ??= [...this.#bySession.values()].sort((a, b) => compareTasks(a.task, b.task));
    return this.#sorted;
  }

  of(client: number): PendingStatement[] {
    return this.all().filter(({ task }) => clientOf(task) === client);
  }

  /** The statements that the server works on or that wait in it, but not those at a gate. */
  executing(): PendingStatement[] {
    return this.all().filter(isExecuting);
  }

  /** The task to name for a session that holds a lock, between two statements too. */
  taskOf(session: ProxySession): Task {
    return this.#bySession.get(session)?.task ?? taskOf(this.#clients.get(session) ?? -1, 0);
  }

  /** Sets the waits at quiescence. */
  setWaits(waits: WaitGraph): void {
    this.#waits = waits;
  }

  /** How the scheduler can move the statements that it can, in their order. */
  choices(): Choice[] {
    const choices: Choice[] = [];
    for (const pending of this.all()) {
      const choice = choiceOf(pending);
      if (choice !== undefined) choices.push(choice);
    }
    return choices;
  }

  /** The tasks that the statement waited for at the last quiescence. */
  waitsFor(pending: PendingStatement): readonly Task[] {
    return this.#waits.get(pending) ?? [];
  }
}

function isExecuting({ state: { at } }: PendingStatement): boolean {
  return at === "running" || at === "waiting" || at === "stopped";
}

export function compareTasks(a: Task, b: Task): number {
  const rank = (task: Task) => (clientOf(task) < 0 ? Number.POSITIVE_INFINITY : clientOf(task));
  if (rank(a) === rank(b)) return a.localeCompare(b, "en", { numeric: true });
  return rank(a) < rank(b) ? -1 : 1;
}

/** How the scheduler can move a statement; undefined while it is in the server and not at a gate. */
function choiceOf({ task, state }: PendingStatement): Choice | undefined {
  switch (state.at) {
    case "held":
    case "gate":
      return { task, action: "release" };
    case "answered":
    case "lost":
      return { task, action: "deliver" };
    case "woken":
      return { task, action: "wake" };
    default:
      return undefined;
  }
}
