import { setTimeout as delay } from "node:timers/promises";
import type { Control } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, isFaulty, type Snapshot } from "../core/execution.ts";
import { type Fault, isKill } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Trace } from "../core/trace.ts";
import type { InnerGates } from "../instrumentation/inner-gates.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import {
  closeGatedDatabase,
  type GatedDatabase,
  type GatedDatabaseOptions,
  openGatedDatabase,
  type RoutineHashes,
  reopenGatedDatabase,
} from "./gated-database.ts";
import { isClean, type Leftovers, leftovers } from "./observation.ts";
import { Run, type RunOptions } from "./run.ts";
import { attributed, type System, type SystemFactory, startSystem } from "./system.ts";

/** An execution that is paused at quiescence. It continues once the callback resolves. */
export interface PausedExecution {
  readonly trace: Trace;
  /** Connection string of its database, past the proxy. */
  readonly directUrl: string;
}

export interface ExecutorOptions extends GatedDatabaseOptions {
  /** The longest time from a step to quiescence, in ms. */
  readonly stepTimeoutMs: number;
  /** The faults that may be injected. Default: all except those that end processes. */
  readonly faults?: readonly Fault[];
  /** Aborting it ends the execution that is under way with HarnessError `INTERRUPTED`. */
  readonly signal: AbortSignal | undefined;
  /** Is called at each quiescence of an execution, before its next step. */
  readonly pause?: (paused: PausedExecution) => Promise<void>;
}

/** How long operations may take to end after their sessions were ended, and a system to stop, in ms. */
const GRACE_MS = 1_000;

/** Runs executions, one at a time, on a disposable database of its own. */
export class Executor<State extends Json, Op extends Operation> {
  #database: GatedDatabase;
  readonly #server: Server;
  readonly #factory: SystemFactory<State, Op>;
  readonly #options: ExecutorOptions;
  #system: System<State, Op>;

  private constructor(
    server: Server,
    database: GatedDatabase,
    factory: SystemFactory<State, Op>,
    options: ExecutorOptions,
    system: System<State, Op>,
  ) {
    this.#server = server;
    this.#database = database;
    this.#factory = factory;
    this.#options = options;
    this.#system = system;
  }

  static async open<State extends Json, Op extends Operation>(
    server: Server,
    factory: SystemFactory<State, Op>,
    options: ExecutorOptions,
  ): Promise<Executor<State, Op>> {
    const database = await openGatedDatabase(server, (url) => factory.migrate(url), options);
    try {
      const system = await startSystem(server, database, factory, options.faults);
      return new Executor(server, database, factory, options, system);
    } catch (error) {
      await closeGatedDatabase(database, async () => {});
      throw error;
    }
  }

  /** How the harness learns that a session waits for a lock (see `Database.lockWaits`). */
  get lockWaits(): Database["lockWaits"] {
    return this.#database.database.lockWaits;
  }

  /** Connection string of its database, past the proxy. */
  get directUrl(): string {
    return this.#database.database.url;
  }

  /** Whether the scheduler chooses which of several woken statements continues first. */
  get ordersWakes(): boolean {
    return this.#database.signals !== undefined;
  }

  /** SHA-256 of each routine of the schema; empty unless `hashRoutines` was set. */
  get routines(): RoutineHashes {
    return this.#database.routines;
  }

  /** Routines without gates although routines are gated, and why. */
  get uninstrumented(): InnerGates["uninstrumented"] {
    return this.#database.gates?.uninstrumented ?? [];
  }

  /** What the gates leave uncontrolled on this server, as sentences of a report. */
  get uncontrolled(): InnerGates["uncontrolled"] {
    return this.#database.gates?.uncontrolled ?? [];
  }

  /**
   * Runs `scenario` once, in the order that `scheduler` chooses (its `begin` was called). Throws a
   * HarnessError if the harness fails; after that the executor can only be closed.
   *
   * @param observe whether to observe committed state after each commit too
   */
  async execute(
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
    observe: Control["observe"] = this.#options.control.observe,
  ): Promise<Execution<State, Op>> {
    if (await this.#system.dirty?.()) await this.#renew();
    await attributed("the service's reset()", this.#system.reset(scenario.initial));
    const database = this.#database;
    const { proxy } = database;
    const run = new Run(database, this.#system, scenario, scheduler, this.#runOptions(observe));
    const interrupt = () => run.fail(new HarnessError("INTERRUPTED", "interrupted"));
    this.#options.signal?.addEventListener("abort", interrupt, { once: true });
    if (this.#options.signal?.aborted) interrupt();
    proxy.observer = run.observer;
    try {
      const completion = await run.toTheEnd();
      // The responses that clients get when a stuck execution is ended are no part of it.
      const trace = [...run.recording.trace];
      const stuck = completion.type === "stuck";
      // The locks and transactions of a stuck execution are not reported as leaks as well.
      const left = stuck ? { openTransactions: 0 } : await this.#leftovers(trace);
      const restart =
        stuck || !isClean(left) || (isFaulty(trace) && this.#system.warm === undefined);
      if (restart) await this.#end(run);
      else if (isFaulty(trace)) await this.#warm();
      const execution: Execution<State, Op> = {
        scenario,
        schedule: { version: 1, entries: run.entries },
        trace,
        completion,
        ...left,
        ...(run.commits && { commits: run.commits }),
        snapshot: await this.#observe(),
        contents: await this.#contents(),
      };
      // Observation comes first: a restarted system has lost its state outside the database.
      if (restart) await this.#restart();
      return execution;
    } finally {
      run.resumeAll();
      proxy.observer = undefined;
      this.#options.signal?.removeEventListener("abort", interrupt);
    }
  }

  #runOptions(observe: Control["observe"]): RunOptions {
    const { pause, faults = [], stepTimeoutMs } = this.#options;
    return {
      stepTimeoutMs,
      killsService: faults.some(isKill),
      ...(pause && { pause: (trace) => pause({ trace, directUrl: this.directUrl }) }),
      ...(faults.includes("crash") && { crashServer: (dead) => this.#crash(dead) }),
      ...(observe === "each-commit" && { observe: () => this.#observeMeanwhile() }),
    };
  }

  #leftovers(trace: Trace): Promise<Leftovers> {
    const { proxy, lockWaits, takesAdvisoryLocks } = this.#database;
    const connectionsInUse = this.#system.connectionsInUse?.();
    return leftovers(proxy.sessions, lockWaits, takesAdvisoryLocks, connectionsInUse, trace);
  }

  async #crash(dead: () => void): Promise<void> {
    const { proxy } = this.#database;
    const crash = async () => {
      await this.#server.faults?.kill();
      dead();
      await this.#server.faults?.restart();
      await reopenGatedDatabase(this.#database);
      await attributed("the service's recover()", this.#system.recover?.() ?? Promise.resolve());
    };
    const outage = crash();
    proxy.outage = outage.catch(() => {});
    await outage;
    proxy.outage = undefined;
  }

  async #observe(): Promise<Snapshot> {
    const snapshot = await attributed("the service's observe()", this.#system.observe());
    return { ...snapshot, ...(await this.#database.queries?.rows()) };
  }

  /** While operations are under way, what a system reads may wait for one of them for ever. */
  #observeMeanwhile(): Promise<Snapshot> {
    const what = "the service's observe(), while operations were under way,";
    return withTimeout(what, this.#options.stepTimeoutMs, this.#observe());
  }

  async #contents(): Promise<Snapshot | undefined> {
    const contents = this.#system.contents?.();
    return contents && attributed("the service's contents()", contents);
  }

  /** Opens everything again on another database, since `reset` cannot undo what was done to this one. */
  async #renew(): Promise<void> {
    await this.close();
    this.#database = await openGatedDatabase(
      this.#server,
      (url) => this.#factory.migrate(url),
      this.#options,
    );
    await this.#start();
  }

  async #start(): Promise<void> {
    const { faults } = this.#options;
    this.#system = await startSystem(this.#server, this.#database, this.#factory, faults);
  }

  /** Has the system open the connections that faults have ended. */
  async #warm(): Promise<void> {
    this.#database.proxy.observer = undefined;
    await attributed("the service's warm()", this.#system.warm?.() ?? Promise.resolve());
  }

  /**
   * Ends all sessions, whatever they hold. Their backends are ended too: one that waits for a lock
   * would still commit once it gets it. An operation that waits for a connection may never end.
   */
  async #end(run: Run<State, Op>): Promise<void> {
    const { proxy, lockWaits } = this.#database;
    proxy.observer = undefined;
    const sessions = [...proxy.sessions];
    for (const session of sessions) session.close();
    await lockWaits.terminate(sessions.map((session) => session.pid));
    await atMost(GRACE_MS, run.drained());
  }

  /** A pool that does not get a connection back would run dry sooner or later. */
  async #restart(): Promise<void> {
    await this.#stopSystem();
    await this.#start();
  }

  /** A system whose pool does not get a connection back may never stop. */
  async #stopSystem(): Promise<void> {
    await atMost(GRACE_MS, this.#system.stop());
  }

  /** Ends whatever is under way, and drops the database. */
  async close(): Promise<void> {
    await closeGatedDatabase(this.#database, () => this.#stopSystem());
  }
}

/**
 * The result of `work`. Throws HarnessError `STEP_TIMEOUT`, naming `what`, if it takes more than `ms`.
 */
async function withTimeout<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // Its error is of no use after the timeout.
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(
    () => {
      throw new HarnessError("STEP_TIMEOUT", `${what} took more than ${ms} ms`);
    },
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Waits until `work` has ended, but no longer than `ms`. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  await Promise.race([work, delay(ms, undefined, { ref: false })]);
}
