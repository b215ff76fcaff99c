import type { HarnessError } from "../core/error.ts";
import type { Commit, Ending } from "../core/execution.ts";
import { isFault } from "../core/fault.ts";
import { NOTHING } from "../core/footprint.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
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
import type { Scheduler } from "../scheduler/scheduler.ts";
import { BlockedBackends } from "./blocked-backends.ts";
import { Clients } from "./clients.ts";
import { Commits } from "./commits.ts";
import { attributed } from "./error-attribution.ts";
import type { ExecutionContext } from "./execution-context.ts";
import { FaultInjector } from "./fault-injector.ts";
import {
  choiceOf,
  compareTasks,
  type PendingStatement,
  PendingStatements,
} from "./pending-statements.ts";
import { Quiescence } from "./quiescence.ts";
import { Recording } from "./recording.ts";
import { StatementRouter } from "./statement-router.ts";

/** How long a wait that nobody will end is given to end by a timeout of the application's own. */
const LONGEST_TIMEOUT_MS = 1_000;

/**
 * One execution: lets one client move at a time, waits until all is at rest, and lets the
 * scheduler choose again.
 */
export class Run<State extends Json, Op extends Operation> {
  readonly recording = new Recording<Op>();
  readonly chosen: Entry[] = [];
  /** To be told of by the gates. */
  readonly traffic: StatementRouter<State, Op>;
  readonly #stage: ExecutionContext<State, Op>;
  readonly #scheduler: Scheduler;
  readonly #clients: Clients<State, Op>;
  readonly #pending = new PendingStatements();
  readonly #rest: Quiescence;
  readonly #sleepers: BlockedBackends;
  #commits: Commits | undefined;
  readonly #strikes: FaultInjector<State, Op>;
  /** The task that moved last. */
  #previous: Task | undefined;

  constructor(
    stage: ExecutionContext<State, Op>,
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
  ) {
    this.#stage = stage;
    this.#scheduler = scheduler;
    this.#clients = new Clients(scenario, stage.system, this.recording, {
      returned: (client) => this.#returned(client),
      failed: (error) => this.failed(error),
    });
    this.#sleepers = new BlockedBackends(this.#pending, stage.freezer);
    this.#rest = new Quiescence(stage, this.#pending, () => this.#unsettled());
    this.#strikes = new FaultInjector({
      clients: this.#clients,
      pending: this.#pending,
      rest: this.#rest,
      sleepers: this.#sleepers,
      recording: this.recording,
      lockWaits: stage.lockWaits,
      proxy: stage.proxy,
      kill: stage.kills
        ? () => attributed("the model's kill()", stage.system.kill?.() ?? Promise.resolve())
        : undefined,
      crash: stage.crash,
    });
    this.traffic = new StatementRouter(stage, {
      clients: this.#clients,
      pending: this.#pending,
      recording: this.recording,
      rest: this.#rest,
      sleepers: this.#sleepers,
      strikes: this.#strikes,
    });
  }

  /** Runs until nobody can move. Throws what went wrong with the harness. */
  async toTheEnd(): Promise<Ending> {
    for (;;) {
      await this.#settle();
      if (this.chosen.length > 0) this.#tell();
      await this.#observe();
      await this.#stage.pause?.(this.recording.trace);
      const enabled = this.#enabled();
      const choice = this.#choose(enabled);
      if (choice !== undefined) this.#move(choice, enabled);
      else if (!(await this.#endsByItself())) break;
    }
    const waits = [
      ...this.#pending.all().map(({ task, waitsFor }) => `${task} for ${waitsFor.join(", ")}`),
      ...this.#inService().map((client) => `${taskOf(client, 0)} for ${this.#queue()}`),
    ];
    return waits.length > 0 ? { type: "stuck", waits: waits.join("; ") } : { type: "complete" };
  }

  /** The scheduler, what the step came to. */
  #tell(): void {
    const { footprints } = this.traffic;
    const released = footprints === undefined ? NOTHING : footprints.takeReleased();
    this.#scheduler.observe?.(this.recording.lastStep(), released);
  }

  /** What was committed in which step; undefined unless it was asked for. */
  get commits(): readonly Commit[] | undefined {
    return this.#commits?.seen;
  }

  /** Before the first step too, so that the first commit is told from what was there. */
  async #observe(): Promise<void> {
    const { observe, lockWaits } = this.#stage;
    if (observe === undefined) return;
    if (this.#commits !== undefined) await this.#commits.afterStep();
    else this.#commits = await Commits.begin(this.recording.trace, lockWaits, observe);
  }

  /** Undefined when nobody can move. */
  #choose(enabled: readonly Choice[]): Choice | undefined {
    const scheduler = this.#scheduler;
    const fault = scheduler.inject?.(this.#strikes.possible(), enabled);
    if (fault !== undefined || enabled.length === 0) return fault;
    const footprintOf = (choice: Choice) => this.traffic.footprints?.of(choice);
    return scheduler.choose(enabled, this.#previous, footprintOf);
  }

  async #settle(): Promise<void> {
    let woken: readonly PendingStatement[] | undefined;
    while (woken === undefined) {
      const waits = await this.#rest.reached();
      woken = this.#sleepers.woken(waits);
      if (woken === undefined) this.#rest.disturbInside();
      else this.recording.atRest(this.#pending.all(), waits);
    }
    for (const flight of woken) flight.stage = "woken";
  }

  /** A wait for which nobody is left may have a time of its own (lock_timeout). */
  async #endsByItself(): Promise<boolean> {
    const waits = this.#pending.all().length > 0 || this.#clients.active().length > 0;
    return waits && (await this.#rest.disturbedWithin(LONGEST_TIMEOUT_MS));
  }

  /** Lets all go on that was kept from it, however the run ended. */
  resumeAll(): void {
    this.#sleepers.resume();
  }

  /** Stops waiting, with `error`. */
  failed(error: HarnessError): void {
    this.#rest.fail(error);
  }

  /** Resolves when no operation is under way any more. */
  drained(): Promise<void> {
    return this.#clients.drained();
  }

  #enabled(): Choice[] {
    const choices = this.#pending.all().flatMap((flight) => choiceOf(flight) ?? []);
    const busy = new Set(choices.map((choice) => choice.task));
    const all = [...choices, ...this.#clients.starts().filter((start) => !busy.has(start.task))];
    return all.sort((a, b) => compareTasks(a.task, b.task));
  }

  #move(choice: Choice, enabled: readonly Choice[]): void {
    const { task, action } = choice;
    const preemption = action !== "crash" && isPreemption(this.#previous, task, enabled);
    this.recording.add({ type: "move", choice, enabled, preemption });
    this.chosen.push(entryOf(choice));
    this.#previous = task;
    this.traffic.running = clientOf(task);
    const flight = this.#pending.all().find((other) => other.task === task);
    if (action === "start") this.#clients.send(clientOf(task), action);
    else if (action === "crash") this.#strikes.crash();
    else if (action === "retry" || action === "give-up") {
      this.#strikes.byClient(clientOf(task), action);
    } else if (flight === undefined) throw new Error(`nothing is on the task ${task}`);
    else {
      if (isFault(action)) this.#strikes.strike(flight, action);
      if (action === "wake") this.#sleepers.wake(flight);
      else if (flight.doomed === action || !isFault(action)) this.traffic.goOn(flight);
    }
    if (action === "release" || action === "wake") this.#rest.disturbInside();
    else this.#rest.disturb();
  }

  #returned(client: number): void {
    if (this.traffic.running === client) this.traffic.running = undefined;
    this.#rest.disturb();
  }

  /** What a client that is waited for does outside the database; undefined when all are at rest. */
  #unsettled(): string | undefined {
    if (this.#stage.proxy.unsettled || this.#strikes.unsettled)
      return "a connection is being opened or closed";
    const inService = this.#inService();
    if (inService.length <= (this.#stage.system.queued?.() ?? 0)) return undefined;
    const awaited = inService.find(
      (client) => client === this.traffic.running || this.#enabled().length === 0,
    );
    if (awaited === undefined) return undefined;
    const waits = this.#stage.system.waitsFor?.();
    const why = waits === undefined ? "" : `, which waits for: ${waits}`;
    const silent = this.traffic.heard.has(awaited)
      ? ""
      : ", and nothing of it has come to the gate yet: see that it uses the URL that it was given";
    return `client ${awaited} is in the service${why}${silent}`;
  }

  /** Clients of which no statement is under way although a operation is. */
  #inService(): number[] {
    return this.#clients.active().filter((client) => this.#pending.of(client).length === 0);
  }

  #queue(): string {
    return this.#stage.system.waitsFor?.() ?? "other requests";
  }
}
