import type { Control } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, isFaulty, type Snapshot } from "../core/execution.ts";
import { type Fault, isKill } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { InnerGates } from "../instrumentation/inner-gates.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { attributed } from "./error-attribution.ts";
import type { Paused } from "./execution-context.ts";
import { isClean, leftovers } from "./leftovers.ts";
import type { RoutineHashes } from "./routines.ts";
import { Run } from "./run.ts";
import { type SystemSetup, startSystem } from "./start-system.ts";
import type { System } from "./system.ts";
import { atMost, withTimeout } from "./timeout.ts";
import {
  closeWorkspace,
  openWorkspace,
  reopenWorkspace,
  type Workspace,
  type WorkspaceOptions,
} from "./workspace.ts";

export interface ExecutorOptions extends WorkspaceOptions {
  /** How long a step may take until all is at rest, in ms. */
  readonly stepTimeoutMs: number;
  /** What may strike; without it, all but what ends processes. */
  readonly faults?: readonly Fault[];
  /** Aborting it ends the execution that is under way, with HarnessError `INTERRUPTED`. */
  readonly signal: AbortSignal | undefined;
  /** Told wherever an execution is at rest, before its next step. */
  readonly pause?: (paused: Paused) => Promise<void>;
}

/** How long a system that is given up may take to come to its end, and then to stop. */
const GRACE_MS = 1_000;

/** Runs executions, one at a time, on a disposable database of its own. */
export class Executor<State extends Json, Op extends Operation> {
  #parts: Workspace;
  readonly #server: Server;
  readonly #setup: SystemSetup<State, Op>;
  readonly #options: ExecutorOptions;
  #system: System<State, Op>;

  private constructor(
    server: Server,
    parts: Workspace,
    setup: SystemSetup<State, Op>,
    options: ExecutorOptions,
    system: System<State, Op>,
  ) {
    this.#server = server;
    this.#parts = parts;
    this.#setup = setup;
    this.#options = options;
    this.#system = system;
  }

  static async open<State extends Json, Op extends Operation>(
    server: Server,
    setup: SystemSetup<State, Op>,
    options: ExecutorOptions,
  ): Promise<Executor<State, Op>> {
    const parts = await openWorkspace(server, (url) => setup.migrate(url), options);
    try {
      const system = await startSystem(server, parts, setup, options.faults);
      return new Executor(server, parts, setup, options, system);
    } catch (error) {
      await closeWorkspace(parts, async () => {});
      throw error;
    }
  }

  /** How a session that waits for a lock is known here (see `Database.lockWaits`). */
  get lockWaits(): Database["lockWaits"] {
    return this.#parts.database.lockWaits;
  }

  /** Of its database, past the gates. */
  get directUrl(): string {
    return this.#parts.database.url;
  }

  /** Whether it is a choice of the scheduler who of several woken sessions goes first. */
  get ordersWakes(): boolean {
    return this.#parts.freezer !== undefined;
  }

  /** SHA-256 of each routine of the schema, if that was asked for. */
  get routines(): RoutineHashes {
    return this.#parts.routines;
  }

  /** Routines that run whole although routines are gated, and why. */
  get whole(): InnerGates["whole"] {
    return this.#parts.gates?.whole ?? [];
  }

  /**
   * Runs `scenario` once, in the order that `scheduler` chooses (its `begin` was called). Throws
   * HarnessError for what was not the service's doing; after that the executor can only be closed.
   *
   * @param observe whether to look at committed state after each commit too
   */
  async execute(
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
    observe: Control["observe"] = this.#options.control.observe,
  ): Promise<Execution<State, Op>> {
    if (await this.#system.dirty?.()) await this.#renew();
    const { proxy, lockWaits, gates, footprints, freezer } = this.#parts;
    const { pause, faults = [] } = this.#options;
    await attributed("the service's reset()", this.#system.reset(scenario.initial));
    const run = new Run(
      {
        proxy,
        lockWaits,
        system: this.#system,
        places: gates?.places ?? new Map(),
        footprints,
        freezer,
        pushed: this.lockWaits === "pushed",
        stepTimeoutMs: this.#options.stepTimeoutMs,
        ...(pause && {
          pause: (trace) => pause({ trace, directUrl: this.#parts.database.url }),
        }),
        kills: faults.some(isKill),
        ...(faults.includes("crash") && {
          crash: (dead: () => void) => this.#crash(dead),
        }),
        ...(observe === "each-commit" && { observe: () => this.#observeMeanwhile() }),
      },
      scenario,
      scheduler,
    );
    const interrupt = () => run.failed(new HarnessError("INTERRUPTED", "interrupted"));
    this.#options.signal?.addEventListener("abort", interrupt, { once: true });
    if (this.#options.signal?.aborted) interrupt();
    proxy.observer = run.traffic;
    try {
      const ending = await run.toTheEnd();
      // What those are told who waited for ever, when all is ended, is no part of it.
      const trace = [...run.recording.trace];
      const stuck = ending.type === "stuck";
      // What one has that waits for ever is no other fault.
      const left = stuck
        ? { openTransactions: 0 }
        : await leftovers(this.#parts, this.#system, trace);
      const anew = stuck || !isClean(left) || (isFaulty(trace) && this.#system.warm === undefined);
      if (anew) await this.#end(run);
      else if (isFaulty(trace)) await this.#heal();
      const execution: Execution<State, Op> = {
        scenario,
        schedule: { version: 1, entries: run.chosen },
        trace,
        ending,
        ...left,
        ...(run.commits && { commits: run.commits }),
        snapshot: await this.#observe(),
        contents: await this.#contents(),
      };
      // Not before it was observed: what a system knows besides the database, it knows no more then.
      if (anew) await this.#restart();
      return execution;
    } finally {
      run.resumeAll();
      proxy.observer = undefined;
      this.#options.signal?.removeEventListener("abort", interrupt);
    }
  }

  async #crash(dead: () => void): Promise<void> {
    const { proxy } = this.#parts;
    const over = async () => {
      await this.#server.faults?.kill();
      dead();
      await this.#server.faults?.restart();
      await reopenWorkspace(this.#parts);
      await attributed("the service's recover()", this.#system.recover?.() ?? Promise.resolve());
    };
    const outage = over();
    proxy.outage = outage.catch(() => {});
    await outage;
    proxy.outage = undefined;
  }

  async #observe(): Promise<Snapshot> {
    const snapshot = await attributed("the service's observe()", this.#system.observe());
    return { ...snapshot, ...(await this.#parts.queries?.rows()) };
  }

  /** While operations are under way. What a system reads then may be waiting for one of these. */
  #observeMeanwhile(): Promise<Snapshot> {
    const what = "the service's observe(), while operations were under way,";
    return withTimeout(what, this.#options.stepTimeoutMs, this.#observe());
  }

  async #contents(): Promise<Snapshot | undefined> {
    const contents = this.#system.contents?.();
    return contents && attributed("the service's contents()", contents);
  }

  /** What was done to the database is not undone by a reset: all is opened anew, on another one. */
  async #renew(): Promise<void> {
    await this.close();
    this.#parts = await openWorkspace(
      this.#server,
      (url) => this.#setup.migrate(url),
      this.#options,
    );
    this.#system = await startSystem(this.#server, this.#parts, this.#setup, this.#options.faults);
  }

  /** Has the system open the connections that faults have cost. */
  async #heal(): Promise<void> {
    this.#parts.proxy.observer = undefined;
    await attributed("the service's warm()", this.#system.warm?.() ?? Promise.resolve());
  }

  /**
   * Ends all sessions, whatever they hold; the backends too: one that waits for a lock would still
   * commit when it gets it. A operation that waits for a connection may never end.
   */
  async #end(run: Run<State, Op>): Promise<void> {
    const { proxy, lockWaits } = this.#parts;
    proxy.observer = undefined;
    const sessions = [...proxy.sessions];
    for (const session of sessions) session.close();
    await lockWaits.terminate(sessions.map((session) => session.pid));
    await atMost(GRACE_MS, run.drained());
  }

  /**
   * Starts the system anew: a pool that lent out a connection for good would run dry sooner or later.
   * For the same reason `stop` may never end.
   */
  async #restart(): Promise<void> {
    await this.#stopSystem();
    this.#system = await startSystem(this.#server, this.#parts, this.#setup, this.#options.faults);
  }

  async #stopSystem(): Promise<void> {
    await atMost(GRACE_MS, this.#system.stop());
  }

  /** Ends whatever is under way, and drops the database. */
  async close(): Promise<void> {
    await closeWorkspace(this.#parts, () => this.#stopSystem());
  }
}
