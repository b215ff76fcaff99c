import { setImmediate as turn } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { realNow } from "../core/real-clock.ts";
import type { Task } from "../core/schedule.ts";
import type { PendingStatement, ProxySession } from "../proxy/pending-statement.ts";
import { Alarm } from "./alarm.ts";
import type { PendingStatements, WaitGraph } from "./pending-statements.ts";

/**
 * For how long, in ms, nothing may happen before the server is asked which backends wait. It decides
 * when to ask, never what the answer is. A server that reports waits is asked as soon as every
 * statement has reported one, so there this is only for waits that it does not report (a safe
 * snapshot). It is long, since a wait that is reported late, on a busy machine, has its deadlock check
 * still to come.
 */
const PATIENCE_MS = { pushed: 100, polled: 1 };

/**
 * The number of turns of the event loop that must pass without an event. A service in this process
 * that has several statements under way, and gets the answer to one of them, sends its next one within
 * these: what it writes is read here in the next turn.
 */
const TURNS = 4;

/** The interval, in ms, at which `unsettled` is asked again: a client may queue without an event. */
const UNSETTLED_POLL_MS = 1;

/**
 * For how long, in ms, nothing may happen while backends are stopped. A timeout of the application's own
 * (lock_timeout, statement_timeout) can end a wait at any moment: a backend that is stopped right then
 * may hold a latch that the others need, and that the answer about waits needs too.
 */
const STOPPED_MS = 1_000;

/**
 * For how long, in ms, nothing may happen before a wait of a session with a short timeout of its own is
 * taken to have none: the timeout, and the time by which a busy machine may be late.
 */
const RUNS_OUT_MS = 500;

/** What the server can tell about waits. */
interface BlockerQuery {
  blockers(pids: readonly number[]): Promise<Blockers>;
}

/** For each backend, the process ids that it waits for, as the server reports them. */
type Blockers = ReadonlyMap<number, readonly number[]>;

interface QuiescenceOptions {
  /** Whether the server reports by itself that a session waits (see `Database.lockWaits`). */
  readonly pushed: boolean;
  readonly stepTimeoutMs: number;
  /** For how long nothing may happen while backends are stopped, in ms. Default: 1,000. */
  readonly stoppedMs?: number;
  /** For how long a wait with a short timeout may go on without any event, in ms. Default: 500. */
  readonly runsOutMs?: number;
}

/** Detects quiescence: nothing will happen any more until the scheduler moves a task. */
export class Quiescence {
  readonly #statements: PendingStatements;
  readonly #sessions: Iterable<ProxySession>;
  readonly #server: BlockerQuery;
  readonly #options: QuiescenceOptions;
  readonly #unsettled: () => string | undefined;
  /** The number of events so far: an answer of the server is stale once it has changed. */
  #activity = 0;
  #lastActivity = realNow();
  /** Whether the service received or sent anything since quiescence was last reached. */
  #serviceActive = true;
  #onActivity: (() => void) | undefined;
  readonly #alarm = new Alarm();
  #failure: HarnessError | undefined;
  /** Whether a wait was left to end by a short timeout of its session. */
  awaitedTimeout = false;

  /** @param unsettled names what has to end outside the database first, if anything */
  constructor(
    statements: PendingStatements,
    sessions: Iterable<ProxySession>,
    server: BlockerQuery,
    options: QuiescenceOptions,
    unsettled: () => string | undefined,
  ) {
    this.#statements = statements;
    this.#sessions = sessions;
    this.#server = server;
    this.#options = options;
    this.#unsettled = unsettled;
  }

  /** Notes an event. What the server has reported about waits is stale. */
  noteActivity(): void {
    this.#serviceActive = true;
    this.noteServerActivity();
  }

  /** Notes an event inside the server that the service does not notice. */
  noteServerActivity(): void {
    this.#activity++;
    this.#lastActivity = realNow();
    this.#onActivity?.();
  }

  /** For how long nothing has happened, in ms. */
  get quietMs(): number {
    return realNow() - this.#lastActivity;
  }

  /** Makes `reached` throw the error; of several errors, the first. */
  fail(error: HarnessError): void {
    this.#failure ??= error;
    this.noteActivity();
  }

  /**
   * Resolves at quiescence with the waits of all statements in the server. Throws HarnessError
   * `STEP_TIMEOUT` if it is not reached in time, or the error that `fail` was given.
   */
  async reached(): Promise<WaitGraph> {
    const deadline = realNow() + this.#options.stepTimeoutMs;
    let patient = true;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const before = this.#activity;
      if (this.quietMs > this.#stoppedMs) this.#resumeStopped();
      if (this.#unsettled() === undefined) {
        if (patient && !this.#allReportWaits()) {
          patient = await this.activityWithin(this.#patienceMs);
          if (patient) continue;
        }
        const waits = await this.#waits();
        // Everything that the server sent before its answer is read in the event loop's next turn, and
        // what the service sends because of that in those after it. Then the answer is fresh, or it is
        // not. Where nothing was asked and the service had nothing to react to, nothing will come.
        const enough = this.#serviceActive ? TURNS : waits?.size === 0 ? 0 : 1;
        for (let turns = 0; turns < enough && before === this.#activity; turns++) await turn();
        if (before === this.#activity) {
          if (waits === undefined) await this.activityWithin(this.#patienceMs);
          else if (!(await this.#endsSoon(waits))) {
            this.#serviceActive = false;
            return waits;
          }
        }
        patient = true;
      } else await this.activityWithin(UNSETTLED_POLL_MS);
      if (realNow() > deadline) throw this.#timeout();
    }
  }

  /**
   * Whether one of the waits is about to end by a timeout of its own. When it would end while others move
   * could not be repeated, so it always ends before they move. Resolves after the next event.
   */
  async #endsSoon(waits: WaitGraph): Promise<boolean> {
    const hurried = [...waits.keys()].filter(({ session }) => session.ownTimeout.isShort);
    if (hurried.length === 0) return false;
    if (await this.activityWithin(this.#options.runsOutMs ?? RUNS_OUT_MS)) {
      this.awaitedTimeout = true;
    } else for (const { session } of hurried) session.ownTimeout.disproved();
    return true;
  }

  get #patienceMs(): number {
    return this.#options.pushed ? PATIENCE_MS.pushed : PATIENCE_MS.polled;
  }

  /** Whether the server has nothing to do, or has reported of every statement that it waits. */
  #allReportWaits(): boolean {
    return this.#statements.executing().every(({ state }) => state.at !== "running");
  }

  get #stoppedMs(): number {
    return this.#options.stoppedMs ?? STOPPED_MS;
  }

  #resumeStopped(): void {
    for (const pending of this.#statements.executing()) {
      if (pending.state.at === "stopped") pending.resume();
    }
  }

  async #waits(): Promise<WaitGraph | undefined> {
    const executing = this.#statements.executing();
    if (executing.length === 0) return new Map();
    const late = setTimeout(() => this.#resumeStopped(), this.#stoppedMs);
    const asked = this.#server.blockers(executing.map(({ session }) => session.pid));
    const blockers = await asked.finally(() => clearTimeout(late));
    return stableWaits(this.#statements, this.#sessions, blockers);
  }

  /** Resolves with true at the next event, or with false after that time. */
  activityWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (active: boolean) => {
        this.#onActivity = undefined;
        resolve(active);
      };
      this.#onActivity = () => {
        this.#alarm.unset();
        done(true);
      };
      this.#alarm.set(ms, () => done(false));
    });
  }

  #timeout(): HarnessError {
    const statements = this.#statements
      .executing()
      .map(({ task, statement }) => `task ${task} is in the database with: ${statement.sql}`);
    const where = [this.#unsettled() ?? [], statements].flat().join("; ");
    return new HarnessError(
      "STEP_TIMEOUT",
      `quiescence was not reached within ${this.#options.stepTimeoutMs} ms: ${where || "unknown"}; ` +
        "raise --step-timeout if a step may take that long",
    );
  }
}

/**
 * The waits of all statements in the server, if each of them waits for a lock that stays held until
 * the scheduler moves a task. Undefined when a statement does not wait, or its wait will end by itself:
 *
 * - its holder is in the server too and does not wait: that one may finish at any moment;
 * - the waits form a cycle: the server is about to break it (a deadlock);
 * - its holder is a session that is not the proxy's.
 *
 * A wait of a session with a short timeout of its own ends by itself too: see `Quiescence`.
 *
 * A chain of waits that ends at a session whose statement is held, or that is between two statements,
 * is stable: such a session cannot release anything before the scheduler chooses it. A statement whose
 * wait has ended while its backend was stopped is stable too, and waits for no task.
 */
export function stableWaits(
  statements: PendingStatements,
  sessions: Iterable<ProxySession>,
  blockers: Blockers,
): WaitGraph | undefined {
  const byPid = new Map([...sessions].map((session) => [session.pid, session]));
  // A session that is being opened has the pid 0, which is the server's name for a prepared transaction.
  byPid.delete(0);
  const waits = new Map<PendingStatement, readonly Task[]>();
  for (const pending of statements.executing()) {
    const tasks = new Set<Task>();
    for (const pid of blockers.get(pending.session.pid) ?? []) {
      const holder = byPid.get(pid);
      if (holder === undefined) return undefined;
      tasks.add(statements.taskOf(holder));
    }
    if (tasks.size === 0 && pending.state.at !== "stopped") return undefined;
    waits.set(pending, [...tasks].sort());
  }
  const pids = [...waits.keys()].map(({ session }) => session.pid);
  return pids.some((pid) => reaches(pid, pid, blockers)) ? undefined : waits;
}

/** Whether `from` waits, directly or over others, for `target`. */
function reaches(from: number, target: number, blockers: Blockers): boolean {
  const visited = new Set<number>();
  const open = [...(blockers.get(from) ?? [])];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (pid === target) return true;
    if (visited.has(pid)) continue;
    visited.add(pid);
    open.push(...(blockers.get(pid) ?? []));
  }
  return false;
}
