import { type Footprint, isNothing, joined, NOTHING, type Touched } from "../core/footprint.ts";
import { type Choice, clientOf, type Task } from "../core/schedule.ts";
import type { Statement } from "../core/trace.ts";
import { isAdvisory } from "../footprints/footprint-builder.ts";
import type { Footprints, RequestFootprint } from "../footprints/footprints.ts";
import type { TransactionControl } from "../footprints/transaction-control.ts";
import type { UnnoticedStart } from "../footprints/unnoticed-start.ts";
import type { PendingStatement, ProxySession } from "../proxy/pending-statement.ts";
import type { Discoveries } from "./discoveries.ts";
import type { PendingStatements } from "./pending-statements.ts";

/** A step by itself, without the steps of the statements that wait for it. */
interface Step {
  /** Undefined when it is unknown. */
  readonly touched: Touched | undefined;
  /** Whether it may commit. */
  readonly ends: boolean;
  /** Whether it takes the snapshot that later steps read with, where transactions have one. */
  readonly snapshot: boolean;
  /** Whether it releases nothing that was held before, as long as its transaction continues. */
  readonly keeps: boolean;
  /** Whether it may read the clock. */
  readonly clock: boolean;
}

/** What a session has done since its transaction began. */
interface SessionHistory {
  readonly client: number;
  readonly touched: Touched | undefined;
  readonly deferred: boolean;
  /** Whether one of its statements may read the clock, or something that it has deferred to its end. */
  readonly readsClock: boolean;
  /** The client and the number of its transaction, if it is a block. */
  readonly block: string | undefined;
  readonly snapshot: boolean;
  /** Whether the last step began a statement, and its transaction had that snapshot before. */
  readonly hadSnapshot: boolean;
  /** Whether the transaction has an isolation level of its own. */
  readonly isolates: boolean;
  /** Whether all of its queries certainly read with one snapshot. */
  readonly keepsSnapshot: boolean;
  /** The names of its savepoints, the last one last. */
  readonly savepoints: readonly string[];
  /** The last step, which the session is still in if it waits. */
  readonly last: Step;
  /** The statement of that step. */
  readonly statement: Statement;
  /** Its text when it was released: the service may have added to it since. */
  readonly sql: string;
}

const PRIVATE: Step = {
  ...{ touched: NOTHING, ends: false, snapshot: false, keeps: true, clock: false },
};

/**
 * Derives what the next step of each task may touch in the present state of an execution: its statement,
 * what its transaction holds, and the steps of the statements that wait for that.
 */
export class StepFootprints {
  readonly #footprints: Footprints;
  readonly #statements: PendingStatements;
  readonly #discoveries: Discoveries;
  readonly #histories = new Map<ProxySession, SessionHistory>();
  /** The client that has used a session last. */
  readonly #users = new Map<ProxySession, number>();
  /** How many transaction blocks each client has begun. */
  readonly #blocks = new Map<number, number>();
  /** What the connections held that were closed in this step; undefined when that is unknown. */
  #released: Touched | undefined = NOTHING;
  /** Whether the schema may have changed in this execution. */
  #altered = false;

  /** @param sessions those that are open before the execution */
  constructor(
    footprints: Footprints,
    statements: PendingStatements,
    discoveries: Discoveries,
    sessions: Iterable<ProxySession>,
  ) {
    this.#footprints = footprints;
    this.#statements = statements;
    this.#discoveries = discoveries;
    discoveries.begins(sessions);
  }

  /** Changes when a step has shown that the footprints of others were too small. */
  get revision(): number {
    return this.#footprints.revision + this.#discoveries.revision;
  }

  /** Changes when a step has shown that others are choices which were none. */
  get choicesRevision(): number {
    return this.#discoveries.revision;
  }

  /** Undefined when anything may happen, as in the background, whose client is unknown. */
  of({ task, action }: Choice): Footprint | undefined {
    const client = clientOf(task);
    const pending = this.#statements.find(task);
    const chosen = this.#stepOf(action, pending);
    if (client < 0 || this.#footprints.stale || this.#discoveries.passesSessions) return undefined;
    const waiting = this.#waitingFor(client).flatMap(
      ({ session }) => this.#histories.get(session) ?? [],
    );
    // All sessions of the client: it may close one with an open transaction when another one failed.
    const open = [...this.#histories].flatMap(([session, history]) =>
      history.client === client && this.#isOpen(session) ? history : [],
    );
    const steps = [chosen, ...waiting.map(({ last }) => last)];
    const step = joinedIfKnown(steps.map(({ touched }) => touched));
    const held = joinedIfKnown([...open, ...waiting].map(({ touched }) => touched));
    if (step === undefined || held === undefined) return undefined;
    const isolates =
      pending?.session.isolates === true ||
      [...open, ...waiting].some((history) => history.isolates);
    const isolation = isolates ? "serializable" : this.#footprints.isolation;
    return {
      step,
      held,
      ends: steps.some(({ ends }) => ends),
      snapshot: chosen.snapshot && isolation !== "read committed",
      tracked: isolation === "serializable",
      keeps: chosen.keeps && waiting.length === 0,
      clock: steps.some(({ clock }) => clock),
    };
  }

  /**
   * Whether the next step of a statement touches nothing that other sessions can notice, whatever comes
   * of it. Within an execution that depends on nothing but the steps before it.
   *
   * - A statement that fails releases what its transaction holds. So one that may fail is private only
   *   where nothing is held; and so is the end of a transaction.
   * - The first query of a transaction takes its snapshot, where transactions have one.
   * - The beginning of a transaction that reads this time is a step of its own. So is every step where the order
   *   of any two decides which client gets a session.
   *
   * At a gate, the same holds if nothing has happened since the place where the step began: there was a
   * choice in that state already.
   */
  isPrivate({ task, session, statement, state }: PendingStatement): boolean {
    if (state.at !== "held" && state.at !== "gate") return false;
    if (clientOf(task) < 0 || this.#altered || this.#discoveries.passesSessions) return false;
    const isOpen = this.#isOpen(session);
    const history = isOpen ? this.#histories.get(session) : undefined;
    if (isOpen && history === undefined) return false;
    const { control, unshared, unnoticed } = this.#footprints.of(statement.sql);
    if (state.at === "gate") {
      const { place } = state.gate;
      if (this.#isWhereItBegan(place, control, history)) return true;
      if (this.#isUnnoticed(session, unnoticed, place, history)) return true;
    }
    const holdsNothing =
      history === undefined || (history.touched !== undefined && isNothing(history.touched));
    switch (control.type) {
      case "query":
        if (unshared === undefined || this.#takesSnapshot(session, history)) return false;
        return holdsNothing || unshared === "safe";
      case "private":
        if (this.#isDated(task, control)) return false;
        return holdsNothing || (session.transaction === "open" && isSafe(control, history));
      case "end":
        return holdsNothing && history?.deferred !== true;
      case "unknown":
        return false;
    }
  }

  /**
   * Whether the step that ended at a gate has touched nothing: that of a COMMIT with nothing deferred, and
   * that of a statement whose transaction had its snapshot already.
   */
  #isWhereItBegan(
    place: number,
    control: TransactionControl,
    history: SessionHistory | undefined,
  ): boolean {
    if (history?.touched === undefined) return false;
    const gate = this.#footprints.gateAt(place);
    if (control.type === "end") return gate === "commit" && !history.deferred;
    if (control.type !== "query" || gate !== "snapshot") return false;
    return history.hadSnapshot && history.keepsSnapshot;
  }

  /**
   * Whether a statement stands at a gate that it reaches unnoticed. At other levels its snapshot may be the
   * one of its transaction, or may decide what it conflicts with.
   */
  #isUnnoticed(
    session: ProxySession,
    unnoticed: UnnoticedStart,
    place: number,
    history: SessionHistory | undefined,
  ): boolean {
    if (unnoticed === undefined || session.isolates || history?.isolates !== false) return false;
    if (this.#footprints.isolation !== "read committed") return false;
    // Others can meet its locks after the write, unless that commits at once.
    if (session.transaction === "idle" && !this.#footprints.holdsCommits) return false;
    const gate = this.#footprints.gateAt(place);
    return gate === "snapshot" || (gate === "row" && unnoticed === "row");
  }

  /** Whether a query takes the snapshot with which later steps of its transaction read. */
  #takesSnapshot(session: ProxySession, history: SessionHistory | undefined): boolean {
    if (session.transaction === "idle" || history?.snapshot === true) return false;
    const isolates = session.isolates || history?.isolates === true;
    return isolates || this.#footprints.defaultIsolation !== "read committed";
  }

  /** Notes a statement that is about to be released. */
  onRelease(pending: PendingStatement): void {
    const { task, session, statement } = pending;
    const request = this.#footprints.of(statement.sql);
    const { control, deferred } = request;
    this.#altered ||= request.alters;
    const last = this.#step(pending);
    const before = this.#histories.get(session);
    const history = this.#isOpen(session) ? before : undefined;
    const isolates = control.type === "private" && control.isolates === "transaction";
    const byDefault = !session.isolates && this.#footprints.weakestDefault !== "read committed";
    // An unknown statement may end the transaction and begin another one.
    const hasSnapshot = control.type !== "unknown" && history?.snapshot === true;
    this.#histories.set(session, {
      client: clientOf(task),
      touched: joinedIfKnown([
        history === undefined ? outlasting(before) : history.touched,
        last.touched,
      ]),
      deferred: deferred || history?.deferred === true,
      readsClock: request.readsClock() || history?.readsClock === true,
      block: this.#blockAfter(pending, request, history),
      snapshot: control.type === "query" || hasSnapshot,
      hadSnapshot: pending.state.at === "held" && history?.snapshot === true,
      isolates: isolates || session.isolates || history?.isolates === true,
      keepsSnapshot: isolates
        ? control.keepsSnapshot === true
        : (history?.keepsSnapshot ?? byDefault),
      savepoints: savepointsAfter(control, history?.savepoints ?? []),
      // When it goes on after a wait, it has the time at which its transaction began.
      last: { ...last, clock: request.readsClock() },
      statement,
      sql: statement.sql,
    });
  }

  /** Notes what the statement shows of steps before. Returns the transaction block that its session is in. */
  #blockAfter(
    { task, session, statement, state }: PendingStatement,
    request: RequestFootprint,
    history: SessionHistory | undefined,
  ): string | undefined {
    if (state.at !== "held") return history?.block;
    const client = clientOf(task);
    const before = this.#users.get(session) ?? client;
    this.#users.set(session, client);
    if (before !== client) this.#discoveries.passed(session);
    this.#discoveries.uses(session, request, statement);
    const { control, readsStart } = request;
    if (control.type === "private" && control.begins === true) {
      const block = this.#nextBlock(client);
      this.#blocks.set(client, (this.#blocks.get(client) ?? 0) + 1);
      return block;
    }
    if (readsStart && history?.block !== undefined) this.#discoveries.readsStart(history.block);
    return history?.block;
  }

  /** The name of the block that the client begins next. */
  #nextBlock(client: number): string {
    return `${client}.${this.#blocks.get(client) ?? 0}`;
  }

  /** Whether a statement begins a transaction that may read the time at which it began. */
  #isDated(task: Task, control: TransactionControl): boolean {
    if (control.type !== "private" || control.begins !== true) return false;
    return this.#discoveries.isDated(this.#nextBlock(clientOf(task)));
  }

  /** Notes that the service has closed a connection, which releases what it held. */
  closed(session: ProxySession): void {
    const history = this.#histories.get(session);
    const held = this.#isOpen(session) ? (history ?? PRIVATE).touched : outlasting(history);
    this.#released = joinedIfKnown([this.#released, held]);
    this.#histories.delete(session);
  }

  /**
   * Notes that a client waits in this step for something outside the database, such as a connection of a pool:
   * which of the steps before leaves it to this client, or takes it, is in no footprint.
   */
  waitedOutside(): void {
    this.#released = undefined;
  }

  /** What the connections held that were closed in the last step; undefined when it is unknown. */
  takeReleased(): Touched | undefined {
    for (const [session, history] of this.#histories) {
      const { statement, sql, last } = history;
      if (statement.sql === sql) continue;
      const added = {
        touched: undefined,
        last: { ...last, touched: undefined },
        sql: statement.sql,
      };
      this.#histories.set(session, { ...history, ...added });
      this.#released = undefined;
    }
    const released = this.#released;
    this.#released = NOTHING;
    return released;
  }

  #stepOf(action: Choice["action"], pending: PendingStatement | undefined): Step {
    if (pending === undefined || action === "deliver") return PRIVATE;
    const interrupted = action === "wake" ? this.#histories.get(pending.session)?.last : undefined;
    return interrupted ?? this.#step(pending);
  }

  #step({ task, session, statement, state }: PendingStatement): Step {
    const request = this.#footprints.of(statement.sql);
    const { control, singleStep, catches } = request;
    const history = this.#isOpen(session) ? this.#histories.get(session) : undefined;
    if (control.type === "end") {
      const touched = history?.deferred ? history.touched : NOTHING;
      const clock = history?.deferred === true && history.readsClock;
      return { touched, ends: true, snapshot: false, keeps: false, clock };
    }
    const ends = control.type === "query" && session.transaction === "idle";
    const snapshot =
      control.type === "query" && history?.snapshot !== true && !(ends && singleStep);
    // Other control may be a return to a savepoint, which releases locks.
    const keeps = control.type === "query" && !catches;
    const place = state.at === "gate" ? state.gate.place : undefined;
    // Outside a block it begins its transaction.
    const begins = state.at === "held" && session.transaction === "idle";
    const clock =
      request.readsClock(place) || (begins && request.readsStart) || this.#isDated(task, control);
    return { touched: request.at(place), ends, snapshot, keeps, clock };
  }

  /** Whether the session is in a transaction: in a block, or in the middle of a statement. */
  #isOpen(session: ProxySession): boolean {
    return this.#statements.on(session)?.isInServer === true || session.transaction !== "idle";
  }

  /** The statements that wait for the client, directly or over other clients. */
  #waitingFor(client: number): readonly PendingStatement[] {
    const waiting = new Set<PendingStatement>();
    const clients = new Set([client]);
    for (let before = -1; before < waiting.size; ) {
      before = waiting.size;
      for (const pending of this.#statements.executing()) {
        const tasks = this.#statements.waitsFor(pending);
        if (!tasks.some((task) => clients.has(clientOf(task)))) continue;
        waiting.add(pending);
        clients.add(clientOf(pending.task));
      }
    }
    return [...waiting];
  }
}

/** What a session holds after its transaction: some advisory locks belong to the session. */
function outlasting(history: SessionHistory | undefined): Touched | undefined {
  if (history === undefined) return NOTHING;
  if (history.touched === undefined) return undefined;
  return { ...NOTHING, writes: new Set([...history.touched.writes].filter(isAdvisory)) };
}

function savepointsAfter(
  control: TransactionControl,
  before: readonly string[],
): readonly string[] {
  const savepoint = control.type === "private" ? control.savepoint : undefined;
  if (savepoint === undefined) return before;
  if (savepoint.does === "set") return [...before, savepoint.name];
  const at = before.lastIndexOf(savepoint.name);
  return before.slice(0, savepoint.does === "return" ? at + 1 : Math.max(at, 0));
}

/** Whether a statement can neither fail in an open transaction nor release what it holds. */
function isSafe(
  { safe = false, savepoint }: Extract<TransactionControl, { readonly type: "private" }>,
  history: SessionHistory,
): boolean {
  if (savepoint === undefined) return safe;
  const known = history.savepoints.includes(savepoint.name);
  return savepoint.does === "set" || (savepoint.does === "release" && known);
}

function joinedIfKnown(parts: readonly (Touched | undefined)[]): Touched | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? joined(...known) : undefined;
}
