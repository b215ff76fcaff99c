import { type Choice, clientOf, type Lane, laneOf } from "../core/schedule.ts";
import type { Statement, TraceEvent } from "../core/trace.ts";
import type { GatePlace } from "../gates/gate-locks.ts";
import type { Session } from "../gates/session.ts";

/** A statement that is under way, and where it is. */
export interface Flight {
  lane: Lane;
  readonly session: Session;
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
  waitsFor: readonly Lane[];
  /** That by which the service will never hear its answer. */
  doomed: "cut-after" | "kill-after" | "crash" | undefined;
  /** What the server did with it, as long as the trace does not say it. */
  unsaid: Extract<TraceEvent, { readonly type: "result" | "gate" }> | undefined;
}

/** All statements that are under way, by session, and whose each session is. */
export class Lanes {
  readonly #flights = new Map<Session, Flight>();
  /** In order, until that changes. */
  #sorted: readonly Flight[] | undefined;
  /** Who used a session last. */
  readonly #clients = new Map<Session, number>();

  /**
   * A statement arrived while `running` was in the service (-1: nobody). It is of the client whose
   * session it is; if that is not known, the running one's, unless it goes on with a transaction of
   * another one whose command is under way.
   */
  arrive(
    session: Session,
    statement: Statement,
    running: number,
    active: (client: number) => boolean,
  ): void {
    const owner = this.#clients.get(session);
    const goesOn = owner !== undefined && session.transaction !== "idle" && active(owner);
    const client = session.owner.client ?? (goesOn ? owner : running);
    this.#clients.set(session, client);
    const taken = new Set(this.of(client).map((flight) => flight.lane));
    let ordinal = 0;
    while (taken.has(laneOf(client, ordinal))) ordinal++;
    this.#sorted = undefined;
    this.#flights.set(session, {
      lane: laneOf(client, ordinal),
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
      flight.lane = laneOf(other, Number(flight.lane.split(".")[1] ?? 0));
    }
    for (const [session, owner] of this.#clients) {
      if (owner === client) this.#clients.set(session, other);
    }
  }

  land(session: Session): void {
    if (this.#flights.delete(session)) this.#sorted = undefined;
  }

  on(session: Session): Flight | undefined {
    return this.#flights.get(session);
  }

  /** In the fixed order: by client, then by connection; the background last. */
  all(): readonly Flight[] {
    this.#sorted ??= [...this.#flights.values()].sort((a, b) => compareLanes(a.lane, b.lane));
    return this.#sorted;
  }

  of(client: number): Flight[] {
    return this.all().filter((flight) => clientOf(flight.lane) === client);
  }

  inDatabase(): Flight[] {
    return this.all().filter((flight) => flight.stage === "database");
  }

  /** The lane to name for a session that holds a lock, whether a statement is under way or not. */
  nameOf(session: Session): Lane {
    return this.#flights.get(session)?.lane ?? laneOf(this.#clients.get(session) ?? -1, 0);
  }
}

export function compareLanes(a: Lane, b: Lane): number {
  const rank = (lane: Lane) => (clientOf(lane) < 0 ? Number.POSITIVE_INFINITY : clientOf(lane));
  if (rank(a) === rank(b)) return a.localeCompare(b, "en", { numeric: true });
  return rank(a) < rank(b) ? -1 : 1;
}

export function choiceOf(flight: Flight): Choice | undefined {
  if (flight.stage === "held") return { lane: flight.lane, action: "release" };
  if (flight.stage === "answered") return { lane: flight.lane, action: "deliver" };
  if (flight.stage === "woken") return { lane: flight.lane, action: "wake" };
  return undefined;
}
