import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Command } from "../core/command.ts";
import type { Control, Isolation } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, isFaulty, type Snapshot } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Footprints } from "../gates/footprints.ts";
import { type Freezer, localFreezer } from "../gates/freezer.ts";
import { type InnerGates, installGates } from "../gates/inner-gates.ts";
import { LockWaits } from "../gates/lock-waits.ts";
import { WireProxy } from "../gates/wire-proxy.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { blamed } from "./blame.ts";
import { Run } from "./run.ts";
import type { System, SystemContext } from "./system.ts";

export interface ExecutorOptions {
  readonly control: Control;
  /** How long a step may take until all is at rest, in ms. */
  readonly stepTimeoutMs: number;
  /** Aborting it ends the execution that is under way, with HarnessError `INTERRUPTED`. */
  readonly signal: AbortSignal | undefined;
  /** Asked for what requests may touch (`readFootprints`), for schedulers that leave out by it. */
  readonly footprints?: (directUrl: string, isolation: Isolation) => Promise<Footprints>;
}

/** What is executed: a schema, and a system under test that uses it. */
export interface Setup<State extends Json, C extends Command> {
  /** Applies the schema to an empty database. */
  migrate(directUrl: string): Promise<void>;
  start(context: SystemContext): Promise<System<State, C>>;
}

/** How long a system that is given up may take to stop. */
const GRACE_MS = 1_000;

interface Parts {
  readonly database: Database;
  readonly folder: string;
  readonly proxy: WireProxy;
  readonly lockWaits: LockWaits;
  readonly gates: InnerGates | undefined;
  readonly footprints: Footprints | undefined;
  /** Where the server's processes are ours, and on this machine. */
  readonly freezer: Freezer | undefined;
}

/** Runs executions, one at a time, on a disposable database of its own. */
export class Executor<State extends Json, C extends Command> {
  readonly #parts: Parts;
  readonly #setup: Setup<State, C>;
  readonly #options: ExecutorOptions;
  #system: System<State, C>;

  private constructor(
    parts: Parts,
    setup: Setup<State, C>,
    options: ExecutorOptions,
    system: System<State, C>,
  ) {
    this.#parts = parts;
    this.#setup = setup;
    this.#options = options;
    this.#system = system;
  }

  static async open<State extends Json, C extends Command>(
    server: Server,
    setup: Setup<State, C>,
    options: ExecutorOptions,
  ): Promise<Executor<State, C>> {
    const undo: (() => Promise<void>)[] = [];
    try {
      const database = await server.lease();
      undo.push(() => database.drop());
      await blamed("migrate", setup.migrate(database.url));
      const folder = await mkdtemp(join(server.folder, "x"));
      undo.push(() => rm(folder, { recursive: true, force: true }));
      const { gates: levels, isolation } = options.control;
      await isolate(database, isolation);
      const inner = levels.some((level) => level !== "statement");
      const gates = inner ? await installGates(database.url, levels) : undefined;
      if (gates !== undefined) undo.push(() => gates.close());
      const proxy = await WireProxy.start(database.url, folder, gates?.locks);
      undo.push(() => proxy.stop());
      const lockWaits = await LockWaits.open(database.url);
      undo.push(() => lockWaits.close());
      const freezer = server.provider === "embedded" ? localFreezer() : undefined;
      const footprints = await options.footprints?.(database.url, isolation);
      const parts = { database, folder, proxy, lockWaits, gates, footprints, freezer };
      return new Executor(parts, setup, options, await start(parts, setup));
    } catch (error) {
      await inTurn(undo.reverse());
      throw error;
    }
  }

  /** How a session that waits for a lock is known here (see `Database.lockWaits`). */
  get lockWaits(): Database["lockWaits"] {
    return this.#parts.database.lockWaits;
  }

  /** Whether it is a choice of the scheduler who of several woken sessions goes first. */
  get ordersWakes(): boolean {
    return this.#parts.freezer !== undefined;
  }

  /** Routines that run whole although routines are gated, and why. */
  get whole(): InnerGates["whole"] {
    return this.#parts.gates?.whole ?? [];
  }

  /**
   * Runs `scenario` once, in the order that `scheduler` chooses (its `begin` was called). Throws
   * HarnessError for what was not the service's doing; after that the executor can only be closed.
   */
  async execute(scenario: Scenario<State, C>, scheduler: Scheduler): Promise<Execution<State, C>> {
    const { proxy, lockWaits, gates, footprints, freezer } = this.#parts;
    await blamed("reset", this.#system.reset(scenario.initial));
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
      const open = [...proxy.sessions].filter(({ transaction }) => transaction !== "idle");
      if (ending.type === "stuck" || open.length > 0) await this.#restart(run);
      else if (isFaulty(run.recording.trace)) await this.#heal(run);
      return {
        scenario,
        schedule: { version: 1, lanes: run.chosen },
        trace: run.recording.trace,
        ending,
        openTransactions: ending.type === "stuck" ? 0 : open.length,
        snapshot: await blamed("observe", this.#system.observe()),
        contents: await this.#contents(),
      };
    } finally {
      run.letGo();
      proxy.observer = undefined;
      this.#options.signal?.removeEventListener("abort", interrupt);
    }
  }

  async #contents(): Promise<Snapshot | undefined> {
    const contents = this.#system.contents?.();
    return contents && blamed("contents", contents);
  }

  /** Has the system open the connections that faults have cost. */
  async #heal(run: Run<State, C>): Promise<void> {
    this.#parts.proxy.observer = undefined;
    const warm = this.#system.warm?.();
    await (warm === undefined ? this.#restart(run) : blamed("warm", warm));
  }

  /**
   * Ends all sessions, whatever they hold, and starts the system anew: a pool that lent out a
   * connection for good would run dry sooner or later. For the same reason `stop` may never end.
   */
  async #restart(run: Run<State, C>): Promise<void> {
    await this.#endSessions();
    await run.drained();
    await this.#stopSystem();
    this.#system = await start(this.#parts, this.#setup);
  }

  /** The backends too: one that waits for a lock would still commit when it gets it. */
  async #endSessions(): Promise<void> {
    const { proxy, lockWaits } = this.#parts;
    proxy.observer = undefined;
    const sessions = [...proxy.sessions];
    for (const session of sessions) session.close();
    await lockWaits.terminate(sessions.map((session) => session.pid));
  }

  async #stopSystem(): Promise<void> {
    await Promise.race([this.#system.stop(), delay(GRACE_MS, undefined, { ref: false })]);
  }

  /** Ends whatever is under way, and drops the database. */
  async close(): Promise<void> {
    const { database, folder, proxy, lockWaits, gates } = this.#parts;
    proxy.observer = undefined;
    for (const session of [...proxy.sessions]) session.close();
    await inTurn([
      () => this.#stopSystem(),
      () => lockWaits.close(),
      () => proxy.stop(),
      async () => gates?.close(),
      () => database.drop(),
      () => rm(folder, { recursive: true, force: true }),
    ]);
  }
}

/**
 * Cleans up, as far as it can be done: what fails here must not hide why it came to this. What is
 * left, the server removes when it stops.
 */
async function inTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step().catch(() => {});
}

/** The default of the database reaches every session, whatever its driver; nothing else changes. */
async function isolate({ name, url }: Database, isolation: Isolation): Promise<void> {
  if (isolation === "read committed") return;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
  } finally {
    await client.end();
  }
}

/** Each start has a folder of its own, so that it meets no socket of an earlier one. */
async function start<State extends Json, C extends Command>(
  { database, folder, proxy }: Parts,
  setup: Setup<State, C>,
): Promise<System<State, C>> {
  const own = await mkdtemp(join(folder, "s"));
  const context = {
    gatedUrl: proxy.url,
    urlFor: (client?: number) => proxy.urlFor(client),
    sessionsOf: (client: number) => proxy.sessionsOf(client),
    directUrl: database.url,
    folder: own,
  };
  return blamed("start", setup.start(context));
}
