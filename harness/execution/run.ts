import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Ending } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import {
  BACKGROUND,
  type Choice,
  clientOf,
  isPreemption,
  type Lane,
  laneOf,
} from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../gates/gate-locks.ts";
import type { GateObserver } from "../gates/observer.ts";
import type { Session } from "../gates/session.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { blamed } from "./blame.ts";
import { choiceOf, compareLanes, type Flight, Lanes } from "./lanes.ts";
import { Recording } from "./recording.ts";
import { Rest } from "./rest.ts";
import { Sleepers } from "./sleepers.ts";
import type { Stage } from "./stage.ts";
import { StepFootprints } from "./step-footprints.ts";

interface Client<C extends Command> {
  readonly commands: readonly C[];
  /** Which command is next, or under way. */
  next: number;
  active: boolean;
}

/** How long a wait that nobody will end is given to end by a timeout of the application's own. */
const LONGEST_TIMEOUT_MS = 1_000;

/**
 * One execution: lets one client move at a time, waits until all is at rest, and lets the
 * scheduler choose again.
 */
export class Run<State extends Json, C extends Command> implements GateObserver<Session> {
  readonly recording = new Recording<C>();
  readonly chosen: Lane[] = [];
  readonly #stage: Stage<State, C>;
  readonly #scheduler: Scheduler;
  readonly #clients: Client<C>[];
  readonly #lanes = new Lanes();
  readonly #rest: Rest;
  readonly #sleepers: Sleepers;
  readonly #footprints: StepFootprints | undefined;
  readonly #underWay = new Set<Promise<void>>();
  /** The client that may be inside the service: at most one, or the background's -1. */
  #running: number | undefined;

  constructor(stage: Stage<State, C>, scenario: Scenario<State, C>, scheduler: Scheduler) {
    this.#stage = stage;
    this.#scheduler = scheduler;
    this.#clients = scenario.clients.map((commands) => ({ commands, next: 0, active: false }));
    this.#sleepers = new Sleepers(this.#lanes, stage.freezer);
    this.#rest = new Rest(stage, this.#lanes, () => this.#unsettled());
    const { footprints } = stage;
    this.#footprints = footprints && new StepFootprints(footprints, this.#lanes);
  }

  /** Runs until nobody can move. Throws what went wrong with the harness. */
  async toTheEnd(): Promise<Ending> {
    for (;;) {
      await this.#settle();
      const enabled = this.#enabled();
      if (enabled.length > 0) {
        const footprintOf = (choice: Choice) => this.#footprints?.of(choice);
        const choice = this.#scheduler.choose(enabled, this.chosen.at(-1), footprintOf);
        this.#move(choice, enabled);
      } else if (!(await this.#endsByItself())) break;
    }
    const waiting = this.#lanes
      .all()
      .map(({ lane, waitsFor }) => `${lane} for ${waitsFor.join(", ")}`);
    if (waiting.length > 0) return { type: "stuck", waits: waiting.join("; ") };
    return { type: "complete" };
  }

  async #settle(): Promise<void> {
    let woken: readonly Flight[] | undefined;
    while (woken === undefined) {
      const waits = await this.#rest.reached();
      woken = this.#sleepers.woken(waits);
      if (woken === undefined) this.#rest.disturb();
      else this.recording.atRest(this.#lanes.all(), waits);
    }
    for (const flight of woken) flight.stage = "woken";
  }

  /** A wait for which nobody is left may have a time of its own (lock_timeout). */
  async #endsByItself(): Promise<boolean> {
    return this.#lanes.all().length > 0 && (await this.#rest.disturbedWithin(LONGEST_TIMEOUT_MS));
  }

  /** Lets all go on that was kept from it, however the run ended. */
  letGo(): void {
    this.#sleepers.letGo();
  }

  /** Stops waiting, with `error`. */
  failed(error: HarnessError): void {
    this.#rest.fail(error);
  }

  /** Resolves when no command is under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  arrived(session: Session, statement: Statement): void {
    const active = (client: number) => this.#clients[client]?.active ?? false;
    this.#lanes.arrive(session, statement, this.#running ?? clientOf(BACKGROUND), active);
    this.#rest.disturb();
  }

  reached(session: Session, gate: GatePlace): void {
    const flight = this.#lanes.on(session);
    if (flight === undefined) {
      this.#stage.proxy.pass(session, gate);
      return;
    }
    const unknown = { of: "?", line: null, next: `gate ${gate.place}` };
    const place = this.#stage.places.get(gate.place) ?? unknown;
    flight.stage = "held";
    flight.gate = gate;
    flight.waiting = false;
    flight.unsaid = { type: "gate", lane: flight.lane, place };
    if (clientOf(flight.lane) === this.#running) this.recording.heard(flight);
    this.#rest.disturb();
  }

  answered(session: Session, result: Result): void {
    const flight = this.#lanes.on(session);
    if (flight === undefined) {
      session.deliver();
      return;
    }
    flight.unsaid = { type: "result", lane: flight.lane, result };
    flight.stage = "answered";
    // The running client's own answer is no choice: it goes straight on.
    if (clientOf(flight.lane) === this.#running) this.#deliver(flight);
    this.#rest.disturb();
  }

  lockWait(session: Session, state: "waiting" | "acquired"): void {
    const flight = this.#lanes.on(session);
    if (flight !== undefined) flight.waiting = state === "waiting";
    this.#rest.disturb();
  }

  closed(session: Session): void {
    this.#lanes.land(session);
    this.#rest.disturb();
  }

  settled(): void {
    this.#rest.disturb();
  }

  #enabled(): Choice[] {
    const choices = this.#lanes.all().flatMap((flight) => choiceOf(flight) ?? []);
    const starts = this.#clients.flatMap((client, index): Choice[] =>
      !client.active && client.next < client.commands.length
        ? [{ lane: laneOf(index, 0), action: "start" }]
        : [],
    );
    const busy = new Set(choices.map((choice) => choice.lane));
    const all = [...choices, ...starts.filter((start) => !busy.has(start.lane))];
    return all.sort((a, b) => compareLanes(a.lane, b.lane));
  }

  #move(choice: Choice, enabled: readonly Choice[]): void {
    const preemption = isPreemption(this.chosen.at(-1), choice.lane, enabled);
    this.recording.add({ type: "move", choice, enabled, preemption });
    this.chosen.push(choice.lane);
    const client = clientOf(choice.lane);
    this.#running = client;
    const flight = this.#lanes.all().find((other) => other.lane === choice.lane);
    if (choice.action === "start") this.#start(client);
    else if (flight === undefined) throw new Error(`nothing is on the lane ${choice.lane}`);
    else if (choice.action === "deliver") this.#deliver(flight);
    else if (choice.action === "wake") this.#sleepers.wake(flight);
    else this.#release(flight);
    this.#rest.disturb();
  }

  #release(flight: Flight): void {
    const { gate, lane, session, statement } = flight;
    this.#sleepers.freeze();
    this.#footprints?.released(flight);
    flight.stage = "database";
    flight.gate = undefined;
    if (gate !== undefined) this.#stage.proxy.pass(session, gate);
    else {
      this.recording.add({ type: "statement", lane, statement });
      session.release();
    }
  }

  #start(index: number): void {
    const client = this.#clients[index];
    const command = client?.commands[client.next];
    if (client === undefined || command === undefined) throw new Error(`client ${index} is done`);
    client.active = true;
    this.recording.add({ type: "invoke", client: index, index: client.next, command });
    const perform = blamed("perform", this.#stage.system.perform(command, index));
    const operation = perform.then(
      (response) => this.#returned(index, client, response),
      (error: HarnessError) => this.failed(error),
    );
    this.#underWay.add(operation);
  }

  #returned(index: number, client: Client<C>, response: Response): void {
    this.recording.add({ type: "return", client: index, index: client.next, response });
    client.active = false;
    client.next++;
    if (this.#running === index) this.#running = undefined;
    this.#rest.disturb();
  }

  #deliver(flight: Flight): void {
    this.recording.heard(flight);
    this.#lanes.land(flight.session);
    flight.session.deliver();
  }

  /** What a client that is waited for does outside the database; undefined when all are at rest. */
  #unsettled(): string | undefined {
    if (this.#stage.proxy.unsettled) return "a connection is being opened or closed";
    const inService = this.#clients.findIndex(
      ({ active }, index) =>
        active &&
        this.#lanes.of(index).length === 0 &&
        (index === this.#running || this.#enabled().length === 0),
    );
    if (inService < 0) return undefined;
    const waits = this.#stage.system.waitsFor?.();
    const why = waits === undefined ? "" : `, which waits for: ${waits}`;
    return `client ${inService} is in the service${why}`;
  }
}
