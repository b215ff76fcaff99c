import { setImmediate as turn } from "node:timers/promises";
import type { HarnessError } from "../core/error.ts";
import type { Commit, Completion, Snapshot } from "../core/execution.ts";
import { type Fault, isClientKill, isKill } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { realNow } from "../core/real-clock.ts";
import type { Scenario } from "../core/scenario.ts";
import {
  type Choice,
  clientOf,
  type Entry,
  entryOf,
  isPreemption,
  type Task,
  taskOf,
} from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import type { GateObserver } from "../proxy/session.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { BlockedBackends } from "./blocked-backends.ts";
import { Clients } from "./clients.ts";
import type { Discoveries } from "./discoveries.ts";
import { FaultInjector, type LossFault, type StatementFault } from "./fault-injector.ts";
import type { GatedDatabase } from "./gated-database.ts";
import { CommitObserver } from "./observation.ts";
import { OUTSIDE_WAITS, type OutsideWaits, WAITED_OUTSIDE } from "./outside-waits.ts";
import { compareTasks, PendingStatements } from "./pending-statements.ts";
import { Polling, YIELDED } from "./polling.ts";
import { Quiescence } from "./quiescence.ts";
import { Recording } from "./recording.ts";
import { Scheduling } from "./scheduling.ts";
import { StatementRouter } from "./statement-router.ts";
import { StepFootprints } from "./step-footprints.ts";
import { attributed, hasFewConnections, type System } from "./system.ts";
import { hasTimeout, TIMED_OUT, TIMEOUTS } from "./timeouts.ts";
import type { UngatedStates } from "./ungated-states.ts";
import { WrittenSteps } from "./written-steps.ts";

/** The timers of Node have a resolution of 1 ms, which is too coarse. */
async function delay(ms: number): Promise<void> {
  for (const until = realNow() + ms; realNow() < until; ) await turn();
}

/** The longest time that a deadlocked wait is given to end by a timeout of the application's own. */
const LONGEST_TIMEOUT_MS = 1_000;

/** What a run uses of the database under test. */
type RunDatabase = Pick<
  GatedDatabase,
  "proxy" | "lockWaits" | "gates" | "footprints" | "signals" | "database" | "mayChange" | "conflict"
>;

export interface RunOptions {
  readonly stepTimeoutMs: number;
  readonly outsideWaits: OutsideWaits;
  /** Reads committed state; given where that is wanted after each commit. */
  readonly observe?: () => Promise<Snapshot>;
  /** The names of the clients, where they have names. */
  readonly names?: readonly string[] | undefined;
  /** See `Control.freeze`. */
  readonly freeze?: string | undefined;
  /** Those that may be injected. */
  readonly faults: readonly Fault[];
  /** Kills the server, calls `dead`, and starts it again; given where faults may do that. */
  readonly crashServer?: (dead: () => void) => Promise<void>;
  /** Collects the states from which clients can be let run freely. */
  readonly ungated: UngatedStates;
  readonly discoveries: Discoveries;
  /** Is called at each quiescence, before the next step. */
  readonly pause?: (trace: Trace) => Promise<void>;
}

/**
 * One execution: moves one task at a time, waits for quiescence, and asks the scheduler for the next
 * choice.
 */
export class Run<State extends Json, Op extends Operation> {
  readonly recording: Recording<Op>;
  /** What it does not control, as sentences. */
  readonly notes = new Set<string>();
  /** The schedule so far. */
  readonly entries: Entry[] = [];
  readonly #router: StatementRouter<Op>;
  readonly #system: System<State, Op>;
  readonly #database: RunDatabase;
  readonly #options: RunOptions;
  readonly #scheduling: Scheduling;
  readonly #clients: Clients<State, Op>;
  readonly #statements: PendingStatements;
  readonly #quiescence: Quiescence;
  readonly #blocked: BlockedBackends;
  readonly #faults: FaultInjector;
  readonly #polling = new Polling();
  readonly #written: WrittenSteps;
  #commits: CommitObserver | undefined;
  /** The task that moved last. */
  #previous: Task | undefined;
  /** Whether its step runs at the same time as the next one. */
  #isFree = false;

  constructor(
    database: RunDatabase,
    system: System<State, Op>,
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
    options: RunOptions,
  ) {
    this.#database = database;
    this.#system = system;
    this.#options = options;
    const { proxy, lockWaits, gates, footprints, signals } = database;
    const { stepTimeoutMs, faults, crashServer } = options;
    this.recording = new Recording(gates?.places ?? new Map());
    this.#written = new WrittenSteps(lockWaits, database.mayChange);
    const listener = {
      returned: (client: number) => this.#returned(client),
      failed: (error: HarnessError) => this.fail(error),
    };
    this.#clients = new Clients(scenario, system, this.recording, listener, options.freeze);
    this.#statements = new PendingStatements({
      isActive: (client) => this.#clients.isActive(client),
      ownerOf: (pid) => system.ownerOf?.(pid),
      hasSessions: (client) => [...proxy.sessions].some(({ origin }) => origin.client === client),
    });
    this.#blocked = new BlockedBackends(this.#statements, signals);
    this.#quiescence = new Quiescence(
      this.#statements,
      proxy.sessions,
      lockWaits,
      { pushed: database.database.lockWaits === "pushed", stepTimeoutMs },
      () => this.#unsettled(),
    );
    const killClient = (client: number) =>
      this.#kill(system.killClient?.(client)).then(() => proxy.retire(client));
    const processes = {
      sessions: proxy.sessions,
      kill: faults.some(isKill) ? () => this.#kill(system.kill?.()) : undefined,
      killClient: faults.some(isClientKill) ? killClient : undefined,
      crash: crashServer,
    };
    this.#faults = new FaultInjector(this.#statements, this.#blocked, lockWaits, processes, {
      injected: (fault) => this.recording.add(fault),
      restarted: () => this.#quiescence.noteActivity(),
      failed: (error) => this.fail(error),
    });
    const ofSteps = hasFewConnections(system, scenario.clients.length)
      ? undefined
      : footprints &&
        new StepFootprints(footprints, this.#statements, options.discoveries, proxy.sessions);
    this.#scheduling = new Scheduling(
      scheduler,
      this.recording.trace,
      this.#statements,
      this.#polling,
      ofSteps,
      options.observe !== undefined,
    );
    this.#router = new StatementRouter(
      this.#statements,
      this.#blocked,
      this.#faults,
      this.#quiescence,
      this.recording,
      ofSteps,
      this.#polling,
    );
  }

  /** The observer that the proxy calls during the run. */
  get observer(): GateObserver {
    return this.#router;
  }

  /** The state after each commit; undefined unless it was asked for. */
  get commits(): readonly Commit[] | undefined {
    return this.#commits?.commits;
  }

  /** Waits for quiescence, and does what belongs to it. */
  async #settle(): Promise<void> {
    const { conflict, lockWaits, gates } = this.#database;
    const { ungated, pause, observe } = this.#options;
    const { trace } = this.recording;
    if (conflict.isHeld) await conflict.release(this.#statements.executing(), lockWaits);
    await this.#quiesce();
    if (this.#written.hasBegun && (await this.#written.end()) && this.#previous !== undefined)
      this.#polling.wrote(this.#previous);
    if (gates !== undefined) ungated.note(gates.ungated, this.#statements, this.entries, trace);
    if (observe !== undefined) await this.#observe(observe);
    if (pause !== undefined) await pause(trace);
  }

  /** Runs until no task can move. Throws HarnessError for errors of the harness or the system. */
  async toTheEnd(): Promise<Completion> {
    for (;;) {
      if (this.#isFree) await delay(this.#scheduling.delayMs);
      else await this.#settle();
      const enabled = this.#enabled();
      const fair = this.#scheduling.fair(enabled);
      if (fair.length < enabled.length) this.notes.add(YIELDED);
      const faults = () => this.#faults.possible(this.#clients);
      const choice = this.#scheduling.next({ enabled, fair, faults, previous: this.#previous });
      if (choice !== undefined) {
        const pending = this.#statements.find(choice.task);
        if (pending !== undefined && this.#polling.isAgain(pending))
          await this.#written.begin(pending);
        if (choice.free === true && pending !== undefined)
          await this.#database.conflict.hold(this.#database.gates?.ungated ?? [], pending);
        this.#move(choice, fair.includes(choice) ? fair : enabled);
      } else if (!(await this.#endsByItself())) break;
    }
    if (this.#quiescence.awaitedTimeout || hasTimeout(this.recording.trace)) {
      this.notes.add(TIMED_OUT);
      this.#options.ungated.noteMoment(TIMEOUTS);
    }
    const waits = [
      ...this.#statements.all().map((pending) => {
        const holders = this.#statements.waitsFor(pending).map((task) => this.#nameOf(task));
        return `${this.#nameOf(pending.task)} for ${holders.join(", ")}`;
      }),
      ...this.#inService().map(
        (client) => `${this.#nameOf(taskOf(client, 0))} for ${this.#queue()}`,
      ),
    ];
    return waits.length > 0 ? { type: "stuck", waits: waits.join("; ") } : { type: "complete" };
  }

  /** Resumes every backend that is still stopped, however the run ended. */
  resumeAll(): void {
    this.#blocked.resume();
  }

  /** Ends the run with an error. */
  fail(error: HarnessError): void {
    this.#quiescence.fail(error);
  }

  /** Resolves once no operation is under way. */
  drained(): Promise<void> {
    return this.#clients.drained();
  }

  async #quiesce(): Promise<void> {
    for (;;) {
      const waits = await this.#quiescence.reached();
      if (this.#blocked.wakeUp(waits)) {
        this.recording.addAtQuiescence(this.#statements, waits);
        this.#statements.setWaits(waits);
        return;
      }
      this.#quiescence.noteServerActivity();
    }
  }

  /** Observes before the first step too, so that the first commit differs from the initial state. */
  async #observe(observe: () => Promise<Snapshot>): Promise<void> {
    if (this.#commits !== undefined) await this.#commits.afterStep();
    else {
      const { lockWaits } = this.#database;
      this.#commits = await CommitObserver.begin(this.recording.trace, lockWaits, observe);
    }
  }

  /** Whether a wait that no task can end ends nonetheless, by a timeout such as lock_timeout. */
  async #endsByItself(): Promise<boolean> {
    const waits = this.#statements.all().length > 0 || this.#clients.active().length > 0;
    return waits && (await this.#quiescence.activityWithin(LONGEST_TIMEOUT_MS));
  }

  #enabled(): Choice[] {
    const choices = this.#statements.choices();
    const isBusy = (start: Choice) => choices.some(({ task }) => task === start.task);
    const starts = this.#clients.starts().filter((start) => !isBusy(start));
    // The statements have an order already.
    if (starts.length === 0) return choices;
    return [...choices, ...starts].sort((a, b) => compareTasks(a.task, b.task));
  }

  #move(choice: Choice, enabled: readonly Choice[]): void {
    const { task, action, free = false } = choice;
    const preemption = action !== "crash" && isPreemption(this.#previous, task, enabled);
    const isPrivate = this.#scheduling.isPrivate(choice, this.#previous);
    const move = { type: "move", choice, enabled, preemption } as const;
    this.recording.add(isPrivate ? { ...move, private: true } : move);
    this.entries.push(entryOf(choice));
    this.#polling.moved(task, this.#statements.find(task));
    this.#previous = task;
    // Of clients that run at the same time, the answers wait for quiescence.
    this.#router.running = free || this.#isFree ? undefined : clientOf(task);
    this.#isFree = free;
    this.#act(choice);
    if (action === "release" || action === "wake") this.#quiescence.noteServerActivity();
    else this.#quiescence.noteActivity();
  }

  #act({ task, action }: Choice): void {
    switch (action) {
      case "start":
      case "retry":
        this.#clients.send(clientOf(task), action);
        return;
      case "give-up":
        this.#giveUp(clientOf(task));
        return;
      case "crash":
        this.#faults.crash();
        return;
      default:
        this.#moveStatement(task, action);
    }
  }

  #moveStatement(
    task: Task,
    action: "release" | "deliver" | "wake" | LossFault | StatementFault,
  ): void {
    const pending = this.#statements.find(task);
    if (pending === undefined) throw new Error(`the task ${task} has no statement`);
    switch (action) {
      case "wake":
        this.#blocked.proceed(pending);
        return;
      case "cut-after":
      case "kill-after":
      case "kill-client-after":
        pending.loseResponse(action);
        this.#router.moveOn(pending);
        return;
      case "release":
      case "deliver":
        this.#router.moveOn(pending);
        return;
      default:
        this.#faults.inject(pending, action);
    }
  }

  /** Ends the wait of a client: its request continues under a client number of its own. */
  #giveUp(client: number): void {
    const becomes = taskOf(this.#clients.nextNumber, 0);
    this.recording.add({ type: "fault", task: taskOf(client, 0), fault: "give-up", becomes });
    this.#statements.reassign(client, this.#clients.giveUp(client));
  }

  /** The responses that the end of a process causes are recorded in the order of the clients. */
  #kill(killing: Promise<void> = Promise.resolve()): Promise<void> {
    return this.#clients.holdReturns(() => attributed("the service's kill()", killing));
  }

  #returned(client: number): void {
    if (this.#router.running === client) this.#router.running = undefined;
    this.#quiescence.noteActivity();
  }

  /** Why quiescence cannot be reached yet, for reasons outside the database; undefined if it can. */
  #unsettled(): string | undefined {
    if (this.#database.proxy.unsettled || this.#faults.unsettled)
      return "a connection is being opened or closed";
    const inService = this.#inService();
    if (inService.length <= (this.#system.queued?.() ?? 0)) return undefined;
    const awaited = inService.find(
      (client) => client === this.#router.running || this.#enabled().length === 0,
    );
    if (awaited === undefined || this.#waitsOutside(awaited)) return undefined;
    const waits = this.#system.waitsFor?.();
    const why = waits === undefined ? "" : `, which waits for: ${waits}`;
    const silent = this.#router.hasSeen(awaited)
      ? ""
      : ", and nothing of it has come to the gate yet: see that it uses the URL that it was given";
    return `client ${this.#nameOf(taskOf(awaited, 0))} is in the service${why}${silent}`;
  }

  /** Whether other clients can go on, because nothing has happened for long while this one runs. */
  #waitsOutside(client: number): boolean {
    if (client !== this.#router.running || this.#enabled().length === 0) return false;
    const { outsideWaits, stepTimeoutMs } = this.#options;
    const { trace } = this.recording;
    if (!outsideWaits.waits(client, trace, this.#quiescence.quietMs, stepTimeoutMs)) return false;
    this.notes.add(WAITED_OUTSIDE);
    this.#options.ungated.noteMoment(OUTSIDE_WAITS);
    this.#router.waitsOutside();
    return true;
  }

  /** The clients that have an operation under way and no statement. */
  #inService(): number[] {
    return this.#clients.active().filter((client) => this.#statements.of(client).length === 0);
  }

  #nameOf(task: Task): string {
    return this.#options.names?.[clientOf(task)] ?? task;
  }

  #queue(): string {
    return this.#system.waitsFor?.() ?? "other requests";
  }
}
