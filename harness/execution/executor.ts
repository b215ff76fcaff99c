import type { Control } from "../core/control.ts";
import type { EarlierExecution } from "../core/counterexample.ts";
import type { HarnessError } from "../core/error.ts";
import { type Execution, isFaulty, type Snapshot } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Trace } from "../core/trace.ts";
import type { InnerGates } from "../instrumentation/inner-gates.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { Discoveries } from "./discoveries.ts";
import { EarlierExecutions } from "./earlier-executions.ts";
import { endingWhatBlocks } from "./ending-what-blocks.ts";
import type { ExecutorOptions } from "./executor-options.ts";
import { FirstEnabled } from "./first-enabled.ts";
import {
  closeGatedDatabase,
  crashServer,
  endBackends,
  type GatedDatabase,
  type RoutineHashes,
  restoreGatedDatabase,
  saveGatedDatabase,
  undoSchema,
} from "./gated-database.ts";
import { isClean, type Leftovers, leftovers } from "./observation.ts";
import { OutsideWaits } from "./outside-waits.ts";
import { Run, type RunOptions } from "./run.ts";
import { openDatabase, startBounded } from "./setup-progress.ts";
import { attributed, type System, type SystemFactory } from "./system.ts";
import { type UngatedState, UngatedStates } from "./ungated-states.ts";
import { atMost, interrupted, WaitLimits } from "./wait-limits.ts";

/** How long operations may take to end after their sessions were ended, and a system to stop, in ms. */
const GRACE_MS = 1_000;

/**
 * What has happened to a system since it was started: nothing; an execution; or one that failed, of which it
 * may hold what is left. A fresh system is cold if it remembers something from its first requests on (see
 * `System.remembers`).
 */
type SystemCondition = "fresh" | "used" | "failed";

/** Runs executions, one at a time, on a disposable database of its own. */
export class Executor<State extends Json, Op extends Operation> {
  #database: GatedDatabase;
  readonly #server: Server;
  readonly #factory: SystemFactory<State, Op>;
  readonly #options: ExecutorOptions;
  readonly #limits: WaitLimits;
  #system: System<State, Op>;
  #condition: SystemCondition = "fresh";
  /** Whether the database can be restored: it is saved once an execution has changed its schema. */
  #isSaved = false;
  /** Whether the execution under way only comes before others. */
  #isQuiet = false;
  readonly #earlier = new EarlierExecutions<State, Op>();
  /** The run under way. */
  #run: Run<State, Op> | undefined;
  readonly #ungatedStates = new UngatedStates();
  /** What the executions so far did not control, as sentences. */
  readonly notes = new Set<string>();
  readonly #outsideWaits = new OutsideWaits();
  /** What executions have shown of steps before them. */
  readonly discoveries = new Discoveries();

  private constructor(
    server: Server,
    database: GatedDatabase,
    factory: SystemFactory<State, Op>,
    options: ExecutorOptions,
    limits: WaitLimits,
    system: System<State, Op>,
  ) {
    this.#server = server;
    this.#database = database;
    this.#factory = factory;
    this.#options = options;
    this.#limits = limits;
    this.#system = system;
  }

  static async open<State extends Json, Op extends Operation>(
    server: Server,
    factory: SystemFactory<State, Op>,
    options: ExecutorOptions,
  ): Promise<Executor<State, Op>> {
    const limits = new WaitLimits(options.stepTimeoutMs, options.signal);
    try {
      const database = await openDatabase(server, factory, options, limits);
      try {
        const system = await startBounded(server, database, factory, options, limits);
        return new Executor(server, database, factory, options, limits, system);
      } catch (error) {
        await closeGatedDatabase(database, async () => {});
        throw error;
      }
    } catch (error) {
      await limits.close();
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

  /** Whether each execution begins on a freshly started system. */
  get startsFresh(): boolean {
    return this.#options.control.fresh === true;
  }

  /**
   * The latest executions before this one since everything was started anew, oldest first; none are known
   * for an execution of another executor.
   */
  before(execution: Execution<State, Op>): readonly EarlierExecution<State, Op>[] {
    return this.#earlier.before(execution);
  }

  /** SHA-256 of each routine of the schema; empty unless `hashRoutines` was set. */
  get routines(): RoutineHashes {
    return this.#database.routines;
  }

  /** Routines without gates although routines are gated, and why. */
  get uninstrumented(): InnerGates["uninstrumented"] {
    return this.#database.gates?.uninstrumented ?? [];
  }

  /** The names of what has no gate although clients can race there: parts of the schema, and moments. */
  get ungated(): readonly string[] {
    return this.#ungatedStates.namesOf(this.#database.gates?.ungated ?? []);
  }

  /** The states, of all executions since the last call, from which clients can be let run freely. */
  takeUngatedStates(): readonly UngatedState[] {
    return this.#ungatedStates.take();
  }

  /** What the gates leave uncontrolled on this server, as sentences of a report. */
  get uncontrolled(): InnerGates["uncontrolled"] {
    return this.#database.gates?.uncontrolled ?? [];
  }

  /**
   * Runs `scenario` once, in the order that `scheduler` chooses (its `begin` was called). Every wait for
   * code of the user is bounded by the step timeout and by the signal. Throws HarnessError.
   *
   * @param observe whether to observe committed state after each commit too
   */
  async execute(
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
    observe: Control["observe"] = this.#options.control.observe,
  ): Promise<Execution<State, Op>> {
    await this.#prepare(scenario);
    await this.#reset(scenario.initial);
    const database = this.#database;
    const { proxy } = database;
    const run = new Run(database, this.#system, scenario, scheduler, this.#runOptions(observe));
    const forget = this.#limits.onFailure((error) => run.fail(error));
    if (this.#options.signal?.aborted) run.fail(interrupted());
    this.#run = run;
    this.#limits.executing = true;
    proxy.observer = run.observer;
    try {
      const completion = await run.toTheEnd();
      // The responses that clients get when a stuck execution is ended are no part of it.
      const trace = [...run.recording.trace];
      const stuck = completion.type === "stuck";
      // The locks and transactions of a stuck execution are not reported as leaks as well.
      const left = stuck ? { openTransactions: 0 } : await this.#leftovers(trace);
      const serviceEnd = this.#system.ended?.();
      const restart =
        stuck ||
        serviceEnd !== undefined ||
        !isClean(left) ||
        (isFaulty(trace) && this.#system.warm === undefined);
      if (restart) await this.#end(run);
      else if (isFaulty(trace)) await this.#warm();
      const execution: Execution<State, Op> = {
        scenario,
        schedule: { version: 1, entries: run.entries },
        trace,
        completion,
        ...left,
        ...(serviceEnd && { serviceEnd }),
        ...(run.commits && { commits: run.commits }),
        snapshot: await this.#observe("end"),
        ...(await this.#contents()),
      };
      // Observation comes first: a restarted system has lost its state outside the database.
      if (restart) await this.#restart();
      if (!this.#isQuiet) this.#earlier.add(execution);
      return execution;
    } catch (error) {
      this.#condition = "failed";
      run.resumeAll();
      // Whatever its sessions hold would stop the next reset.
      const ending = this.#end(run).catch(() => {});
      await atMost(GRACE_MS, ending);
      throw error;
    } finally {
      run.resumeAll();
      for (const note of [...run.notes, ...(this.#system.notes?.() ?? [])]) this.notes.add(note);
      proxy.observer = undefined;
      this.#limits.executing = false;
      this.#run = undefined;
      forget();
    }
  }

  /** Makes the system ready for an execution, which uses it from then on. */
  async #prepare(scenario: Scenario<State, Op>): Promise<void> {
    if (this.startsFresh && this.#condition !== "fresh") {
      await this.#factory.refresh?.();
      await this.#restart();
      this.#earlier.forget();
    }
    if (this.#condition === "failed" || this.#system.ended?.() !== undefined) await this.#restart();
    if (await this.#isDirty()) await this.#recreate();
    const isCold = this.#condition === "fresh" && this.#system.remembers === true;
    if (!isCold || this.startsFresh) return;
    this.#condition = "used";
    await this.executeBefore(scenario, new FirstEnabled());
    if (await this.#isDirty()) await this.#recreate();
  }

  /** Executes what only comes before other executions: without pauses, and not known by `before`. */
  async executeBefore(scenario: Scenario<State, Op>, scheduler: Scheduler): Promise<void> {
    const wasQuiet = this.#isQuiet;
    this.#isQuiet = true;
    try {
      await this.execute(scenario, scheduler);
    } finally {
      this.#isQuiet = wasQuiet;
    }
  }

  /** Calls `use`, which `what` names in errors, with the system: no execution may be under way. */
  use<T>(what: string, use: (system: System<State, Op>) => Promise<T>, ms?: number): Promise<T> {
    return this.#limits.within(what, attributed(what, use(this.#system)), ms);
  }

  /** Ends the execution under way, if there is one, with an error. */
  giveUp(error: HarnessError): void {
    this.#run?.fail(error);
  }

  async #isDirty(): Promise<boolean> {
    if (this.#system.dirty === undefined) return false;
    return this.use("the service's dirty()", async (system) => (await system.dirty?.()) === true);
  }

  async #reset(initial: State): Promise<void> {
    // A reset that fails may go on: nothing may begin beside it.
    this.#condition = "failed";
    const reset = this.use("the service's reset()", (system) => system.reset(initial));
    await endingWhatBlocks(reset, this.#database);
    this.#condition = "used";
  }

  #runOptions(observe: Control["observe"]): RunOptions {
    const { pause, faults = [], stepTimeoutMs, control, names } = this.#options;
    return {
      ...{ stepTimeoutMs, names, faults, freeze: control.freeze, discoveries: this.discoveries },
      ...{ ungated: this.#ungatedStates, outsideWaits: this.#outsideWaits },
      ...(pause &&
        !this.#isQuiet && { pause: (trace) => pause({ trace, directUrl: this.directUrl }) }),
      ...(faults.includes("crash") && { crashServer: (dead) => this.#crash(dead) }),
      ...(observe === "each-commit" && { observe: () => this.#observe("commit") }),
    };
  }

  #leftovers(trace: Trace): Promise<Leftovers> {
    const { proxy, lockWaits, takesAdvisoryLocks } = this.#database;
    const connectionsInUse = this.#system.connectionsInUse?.();
    return leftovers(proxy.sessions, lockWaits, takesAdvisoryLocks, connectionsInUse, trace);
  }

  #crash(dead: () => void): Promise<void> {
    const recover = () =>
      attributed("the service's recover()", this.#system.recover?.() ?? Promise.resolve());
    return crashServer(this.#server, this.#database, dead, recover);
  }

  async #observe(when: "end" | "commit"): Promise<Snapshot> {
    const what = "the service's observe()";
    const meanwhile = when === "commit" ? ", while operations were under way," : "";
    const snapshot = await this.#limits.within(
      `${what}${meanwhile}`,
      attributed(what, this.#system.observe(when)),
    );
    return { ...snapshot, ...(await this.#database.queries?.rows()) };
  }

  async #contents(): Promise<Pick<Execution, "contents" | "initialContents">> {
    const initialContents = this.#system.initialContents?.();
    const read = async (system: System<State, Op>) => system.contents?.();
    const reading = this.#system.contents && this.use("the service's contents()", read);
    return { contents: await reading, ...(initialContents && { initialContents }) };
  }

  /**
   * Starts everything anew, as if nothing had been executed. Code that cannot be loaded anew may hold
   * addresses, such as those of a pool: then the database and its ports stay.
   */
  async renew(): Promise<void> {
    this.#earlier.forget();
    if (this.#factory.refresh === undefined) return this.#restart();
    await this.#factory.refresh();
    await this.#reopen();
  }

  /** Opens everything on another database. */
  async #reopen(isSaved = false): Promise<void> {
    await this.#closeDatabase();
    this.#database = await openDatabase(this.#server, this.#factory, this.#options, this.#limits);
    if (isSaved) await saveGatedDatabase(this.#database, this.#factory.prepare);
    this.#isSaved = isSaved;
    await this.#start();
  }

  /** Has the database as the setup left it, since `reset` cannot undo what was done to it. */
  async #recreate(): Promise<void> {
    if (!this.#isSaved) return this.#reopen(true);
    this.#condition = "failed";
    if (await this.#limits.race(undoSchema(this.#database, this.#system)))
      return this.#system.stateless ? undefined : this.#restart();
    await restoreGatedDatabase(this.#database, () => this.#stopSystem());
    await this.#start();
  }

  async #start(): Promise<void> {
    this.#system = await startBounded(
      this.#server,
      this.#database,
      this.#factory,
      this.#options,
      this.#limits,
    );
    this.#condition = "fresh";
  }

  /** Has the system open the connections that faults have ended. */
  async #warm(): Promise<void> {
    this.#database.proxy.observer = undefined;
    await this.use("the service's warm()", async (system) => system.warm?.());
  }

  /**
   * Ends all sessions, whatever they hold. Their backends are ended too: one that waits for a lock
   * would still commit once it gets it. An operation that waits for a connection may never end.
   */
  async #end(run: Run<State, Op>): Promise<void> {
    this.#database.proxy.observer = undefined;
    await this.#endSessions();
    await atMost(GRACE_MS, run.drained());
  }

  async #endSessions(): Promise<void> {
    this.#system.disconnecting?.();
    await endBackends(this.#database);
  }

  /** A pool that does not get a connection back would run dry sooner or later. */
  async #restart(): Promise<void> {
    await this.#stopSystem();
    await this.#start();
  }

  /** A system whose pool does not get a connection back may never stop: its sessions end all the same. */
  async #stopSystem(): Promise<void> {
    this.#system.disconnecting?.();
    if (!(await atMost(GRACE_MS, this.#system.stop()))) await this.#endSessions();
  }

  #closeDatabase(): Promise<void> {
    return closeGatedDatabase(this.#database, () => this.#stopSystem());
  }

  /** Ends whatever is under way, and drops the database. */
  async close(): Promise<void> {
    await this.#closeDatabase();
    await this.#limits.close();
  }
}
