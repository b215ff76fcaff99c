import { type Footprint, joined, NOTHING, type Touched } from "../core/footprint.ts";
import { type Choice, clientOf } from "../core/schedule.ts";
import type { Statement } from "../core/trace.ts";
import { isAdvisory } from "../footprints/footprint-builder.ts";
import type { Footprints } from "../footprints/footprints.ts";
import type { ProxySession } from "../proxy/session.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";

/** A step, apart from what it sets off. */
interface Step {
  /** Undefined when nobody can tell. */
  readonly touched: Touched | undefined;
  /** Whether it may commit. */
  readonly ends: boolean;
  /** Whether it takes the snapshot that later ones read with, should there be such a one. */
  readonly snapshot: boolean;
  /** Whether it lets go of nothing that was held before, should it succeed within the transaction. */
  readonly keeps: boolean;
}

/** What a session has done since its transaction began. */
interface Past {
  readonly client: number;
  readonly touched: Touched | undefined;
  readonly deferred: boolean;
  readonly snapshot: boolean;
  /** The transaction has an isolation of its own. */
  readonly isolates: boolean;
  /** The step that it is in, if it waits. */
  readonly last: Step;
  /** Of that step, and its text when it was let go: the service may have added to it since. */
  readonly statement: Statement;
  readonly sql: string;
}

const PRIVATE: Step = { touched: NOTHING, ends: false, snapshot: false, keeps: true };

/**
 * What the next step of each task may touch, in the state in which an execution is: its statement,
 * what its transaction holds, and the steps of those that may be waiting for that.
 */
export class StepFootprints {
  readonly #footprints: Footprints;
  readonly #pending: PendingStatements;
  readonly #pasts = new Map<ProxySession, Past>();
  /** What closed connections held, in this step; undefined when nobody can tell what it did. */
  #released: Touched | undefined = NOTHING;

  constructor(footprints: Footprints, pending: PendingStatements) {
    this.#footprints = footprints;
    this.#pending = pending;
  }

  /** Undefined when anything may happen, as in the background: whose statement that is, nobody knows. */
  of({ task, action }: Choice): Footprint | undefined {
    const client = clientOf(task);
    const flight = this.#pending.all().find((other) => other.task === task);
    const own = this.#own(action, flight);
    if (client < 0 || this.#footprints.stale) return undefined;
    const woken = this.#waitingFor(client).flatMap(({ session }) => this.#pasts.get(session) ?? []);
    // All its sessions: a client may close one with a transaction open when another one failed.
    const open = [...this.#pasts].flatMap(([session, past]) =>
      past.client === client && this.#isOpen(session) ? past : [],
    );
    const steps = [own, ...woken.map(({ last }) => last)];
    const step = joinedIfKnown(steps.map(({ touched }) => touched));
    const held = joinedIfKnown([...open, ...woken].map(({ touched }) => touched));
    if (step === undefined || held === undefined) return undefined;
    const isolates =
      flight?.session.isolates === true || [...open, ...woken].some((past) => past.isolates);
    const isolation = isolates ? "serializable" : this.#footprints.isolation;
    return {
      step,
      held,
      ends: steps.some(({ ends }) => ends),
      snapshot: own.snapshot && isolation !== "read committed",
      tracked: isolation === "serializable",
      keeps: own.keeps && woken.length === 0,
    };
  }

  /** The flight, which is held, is about to be let go. */
  onRelease(flight: PendingStatement): void {
    const { task, session, statement } = flight;
    const { control, deferred } = this.#footprints.of(statement.sql);
    const last = this.#step(flight);
    const before = this.#pasts.get(session);
    const past = this.#isOpen(session) ? before : undefined;
    const isolates = control.type === "private" && control.isolates === "transaction";
    this.#pasts.set(session, {
      client: clientOf(task),
      touched: joinedIfKnown([past === undefined ? kept(before) : past.touched, last.touched]),
      deferred: deferred || past?.deferred === true,
      snapshot: control.type === "query" || past?.snapshot === true,
      isolates: isolates || session.isolates || past?.isolates === true,
      last,
      statement,
      sql: statement.sql,
    });
  }

  /** The service has closed the connection. */
  closed(session: ProxySession): void {
    const past = this.#pasts.get(session);
    const held = this.#isOpen(session) ? (past ?? PRIVATE).touched : kept(past);
    this.#released = joinedIfKnown([this.#released, held]);
    this.#pasts.delete(session);
  }

  /** Of the step that is over: what closed connections held. Undefined when nobody can tell what it did. */
  takeReleased(): Touched | undefined {
    for (const [session, past] of this.#pasts) {
      const { statement, sql, last } = past;
      if (statement.sql === sql) continue;
      const added = {
        touched: undefined,
        last: { ...last, touched: undefined },
        sql: statement.sql,
      };
      this.#pasts.set(session, { ...past, ...added });
      this.#released = undefined;
    }
    const released = this.#released;
    this.#released = NOTHING;
    return released;
  }

  #own(action: Choice["action"], flight: PendingStatement | undefined): Step {
    if (flight === undefined || action === "deliver") return PRIVATE;
    const waited = action === "wake" ? this.#pasts.get(flight.session)?.last : undefined;
    return waited ?? this.#step(flight);
  }

  #step({ session, statement, gate }: PendingStatement): Step {
    const { control, at, singleStep, catches } = this.#footprints.of(statement.sql);
    const past = this.#isOpen(session) ? this.#pasts.get(session) : undefined;
    if (control.type === "end") {
      const touched = past?.deferred ? past.touched : NOTHING;
      return { touched, ends: true, snapshot: false, keeps: false };
    }
    const ends = control.type === "query" && session.transaction === "idle";
    const snapshot = control.type === "query" && past?.snapshot !== true && !(ends && singleStep);
    // Control may be a return to a savepoint, which lets go.
    const keeps = control.type === "query" && !catches;
    return { touched: at(gate?.place), ends, snapshot, keeps };
  }

  /** Whether the session is in a transaction: in a block, or in the middle of a statement. */
  #isOpen(session: ProxySession): boolean {
    const flight = this.#pending.on(session);
    const begun = flight?.stage === "database" || flight?.stage === "woken";
    const inside = begun || flight?.gate !== undefined;
    return inside || session.transaction !== "idle";
  }

  /** Whoever waits for the client, or for one that does. */
  #waitingFor(client: number): readonly PendingStatement[] {
    const found = new Set<PendingStatement>();
    const clients = new Set([client]);
    for (let before = -1; before < found.size; ) {
      before = found.size;
      for (const flight of this.#pending.inDatabase()) {
        if (!flight.waitsFor.some((task) => clients.has(clientOf(task)))) continue;
        found.add(flight);
        clients.add(clientOf(flight.task));
      }
    }
    return [...found];
  }
}

/** What outlasts a transaction: some advisory locks are the session's. */
function kept(past: Past | undefined): Touched | undefined {
  if (past === undefined) return NOTHING;
  if (past.touched === undefined) return undefined;
  return { ...NOTHING, writes: new Set([...past.touched.writes].filter(isAdvisory)) };
}

function joinedIfKnown(parts: readonly (Touched | undefined)[]): Touched | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? joined(...known) : undefined;
}
