import { setImmediate as turn } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Task } from "../core/schedule.ts";
import type { ProxySession } from "../proxy/session.ts";
import type { ExecutionContext } from "./execution-context.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";

type Surroundings = Pick<
  ExecutionContext<Json, Operation>,
  "proxy" | "lockWaits" | "pushed" | "stepTimeoutMs"
>;

/**
 * How long nothing has to happen before the server is asked who waits, in ms. It decides when to
 * ask, never what the answer is. A server that tells its sessions that they wait is asked as soon
 * as it has told; then this is only for waits of which it does not tell (a safe snapshot). It is long,
 * since one that is told late, on a busy machine, has its check for a deadlock still to come.
 */
const PATIENCE = { pushed: 100, polled: 1 };

/**
 * How many turns of the event loop go by without an event before all is at rest. A service in this
 * process that has several statements under way, and hears of one of them, sends its next one within
 * these: what is written here is read here in the next turn.
 */
const TURNS = 4;

/** After how long, in ms, it is looked again whether a client came to stand in a queue: that is no event. */
const UNHEARD = 1;

/** Knows when all is at rest: nothing will happen any more until somebody is let go. */
export class Quiescence {
  readonly #surroundings: Surroundings;
  readonly #pending: PendingStatements;
  readonly #unsettled: () => string | undefined;
  #disturbances = 0;
  /** Whether the service was told anything since the last rest, or did anything. */
  #service = true;
  #wake: (() => void) | undefined;
  #failure: HarnessError | undefined;

  /** `unsettled` names what the running client is doing outside the database, if anything. */
  constructor(
    surroundings: Surroundings,
    pending: PendingStatements,
    unsettled: () => string | undefined,
  ) {
    this.#surroundings = surroundings;
    this.#pending = pending;
    this.#unsettled = unsettled;
  }

  /** Something happened: what was known of waits is stale. */
  disturb(): void {
    this.#service = true;
    this.disturbInside();
  }

  /** Something happened inside the server, of which the service knows nothing. */
  disturbInside(): void {
    this.#disturbances++;
    this.#wake?.();
  }

  fail(error: HarnessError): void {
    this.#failure ??= error;
    this.disturb();
  }

  /**
   * Resolves at rest, with the tasks that each statement in the database waits for. Throws
   * HarnessError `STEP_TIMEOUT` when there is no rest in time, or whatever `fail` was given.
   */
  async reached(): Promise<ReadonlyMap<PendingStatement, readonly Task[]>> {
    const deadline = performance.now() + this.#surroundings.stepTimeoutMs;
    let patient = true;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const seen = this.#disturbances;
      if (this.#unsettled() === undefined) {
        if (patient && !this.#worthAsking()) {
          patient = await this.disturbedWithin(this.#patience);
          if (patient) continue;
        }
        const waits = await this.#waits();
        // All that the server had sent before its answer is read in the event loop's next turn, and
        // what the service sends in answer to that in those after it. Then the answer is fresh, or
        // it is not. Where nothing was asked, and the service had nothing to answer to, nothing comes.
        const enough = this.#service ? TURNS : waits?.size === 0 ? 0 : 1;
        for (let turns = 0; turns < enough && seen === this.#disturbances; turns++) await turn();
        if (seen === this.#disturbances) {
          if (waits !== undefined) {
            this.#service = false;
            return waits;
          }
          await this.disturbedWithin(this.#patience);
        }
        patient = true;
      } else await this.disturbedWithin(UNHEARD);
      if (performance.now() > deadline) throw this.#timeout();
    }
  }

  get #patience(): number {
    return this.#surroundings.pushed ? PATIENCE.pushed : PATIENCE.polled;
  }

  /** Whether there is nothing to ask, or every statement in the database is said to wait. */
  #worthAsking(): boolean {
    return this.#pending.inDatabase().every((flight) => flight.waiting);
  }

  async #waits(): Promise<ReadonlyMap<PendingStatement, readonly Task[]> | undefined> {
    const inDatabase = this.#pending.inDatabase();
    if (inDatabase.length === 0) return new Map();
    const pids = inDatabase.map((flight) => flight.session.pid);
    const blockers = await this.#surroundings.lockWaits.blockers(pids);
    return stableWaits(this.#pending, this.#surroundings.proxy.sessions, blockers);
  }

  /** Whether something happened within that time. */
  disturbedWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (happened: boolean) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(happened);
      };
      const timer = setTimeout(() => done(false), Math.max(0, ms));
      this.#wake = () => done(true);
    });
  }

  #timeout(): HarnessError {
    const statements = this.#pending
      .inDatabase()
      .map(({ task, statement }) => `task ${task} is in the database with: ${statement.sql}`);
    const where = [this.#unsettled() ?? [], statements].flat().join("; ");
    return new HarnessError(
      "STEP_TIMEOUT",
      `nothing came to rest within ${this.#surroundings.stepTimeoutMs} ms: ${where || "unknown"}; ` +
        "raise --step-timeout if that is how long it takes",
    );
  }
}

/** Who waits for whom, as the server said it. */
export type Blockers = ReadonlyMap<number, readonly number[]>;

/**
 * Whether every statement in the database waits for a lock that stays held until somebody else
 * moves. Returns, for each, the tasks that it waits for (none for one whose wait has ended while it
 * was frozen); undefined when a statement does not wait,
 * or when its wait is going to end by itself:
 *
 * - whoever it waits for is in the database too and does not wait: it may finish at any moment;
 * - the waits form a cycle: the server is about to break it (a deadlock);
 * - it waits for a session that is none of ours.
 *
 * A chain that ends at a session whose client is held, or is between two statements, is stable:
 * that session cannot release anything before it is chosen.
 */
export function stableWaits(
  pending: PendingStatements,
  sessions: Iterable<ProxySession>,
  blockers: Blockers,
): Map<PendingStatement, readonly Task[]> | undefined {
  const byPid = new Map([...sessions].map((session) => [session.pid, session]));
  // A session that is being opened has no pid yet, and 0 is how a prepared transaction is named.
  byPid.delete(0);
  const waits = new Map<PendingStatement, readonly Task[]>();
  for (const flight of pending.inDatabase()) {
    const names = new Set<Task>();
    for (const pid of blockers.get(flight.session.pid) ?? []) {
      const holder = byPid.get(pid);
      if (holder === undefined) return undefined;
      names.add(pending.nameOf(holder));
    }
    // One that is frozen does not go on, although nothing holds it any more.
    if (names.size === 0 && !flight.frozen) return undefined;
    waits.set(flight, [...names].sort());
  }
  const pids = [...waits.keys()].map((flight) => flight.session.pid);
  return pids.some((pid) => reaches(pid, pid, blockers)) ? undefined : waits;
}

/** Whether `from` waits, over any number of others, for `target`. */
function reaches(from: number, target: number, blockers: Blockers): boolean {
  const seen = new Set<number>();
  const open = [...(blockers.get(from) ?? [])];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (pid === target) return true;
    if (seen.has(pid)) continue;
    seen.add(pid);
    open.push(...(blockers.get(pid) ?? []));
  }
  return false;
}
