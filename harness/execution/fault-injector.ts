import type { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { BACKGROUND, type Choice, taskOf } from "../core/schedule.ts";
import type { ProxySession } from "../proxy/session.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";
import type { BlockedBackends } from "./blocked-backends.ts";
import type { Clients } from "./clients.ts";
import type { LockWaits } from "./lock-waits.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Recording } from "./recording.ts";

/** The faults that can strike a statement where it is. */
function faultsOf({ stage, gate, doomed }: PendingStatement): readonly Fault[] {
  switch (stage) {
    case "held":
      return [
        ...(gate === undefined ? (["cut-before"] as const) : (["cancel"] as const)),
        ...(doomed ? [] : (["cut-after"] as const)),
        "terminate",
      ];
    case "database":
      return ["cancel", "terminate"];
    case "answered":
      return doomed ? [] : ["cut-after"];
    case "woken":
      return [];
  }
}

/** The same, where the service can be killed. */
function killsOf({ stage, doomed, session }: PendingStatement): readonly Fault[] {
  if (!session.origin.service) return [];
  const untold = (stage === "held" || stage === "answered") && doomed === undefined;
  return [
    ...(stage === "answered" ? [] : (["kill-before"] as const)),
    ...(untold ? (["kill-after"] as const) : []),
  ];
}

/** What strikes need of an execution. */
interface Struck<State extends Json, Op extends Operation> {
  readonly clients: Clients<State, Op>;
  readonly pending: PendingStatements;
  readonly rest: Quiescence;
  readonly sleepers: BlockedBackends;
  readonly recording: Recording<Op>;
  readonly lockWaits: LockWaits;
  readonly proxy: Pick<WireProxy, "sessions">;
  /** Kills the service, and starts it again; if that can be done. */
  readonly kill: (() => Promise<void>) | undefined;
  /** Kills the server, and waits until it is there again; if that can be done. */
  readonly crash: ((dead: () => void) => Promise<void>) | undefined;
}

/** Lets faults strike. It is no rest until all that a fault ends has ended. */
export class FaultInjector<State extends Json, Op extends Operation> {
  readonly #struck: Struck<State, Op>;
  /** Sessions that the server was told to end, until it has. */
  readonly #terminated = new Set<ProxySession>();
  /** What was killed, and is not there again yet. */
  #down: "service" | "server" | undefined;

  constructor(struck: Struck<State, Op>) {
    this.#struck = struck;
  }

  /** Whether a session or a process is ending, or being started again. */
  get unsettled(): boolean {
    return this.#down !== undefined || this.#terminated.size > 0;
  }

  /** What the service asks while it is being started is no part of the execution. */
  passes({ origin }: ProxySession): boolean {
    return this.#down === "service" && origin.service === true;
  }

  /** All that can strike now, in a fixed order. */
  possible(): Choice[] {
    const { clients, pending, kill, crash } = this.#struck;
    // A client with connections of its own waits for no service that could go on without it.
    const waiting = clients.waiting().filter((client) => {
      const flights = pending.of(client);
      return (
        flights.length > 0 && flights.every(({ session }) => session.origin.client === undefined)
      );
    });
    return [
      ...pending.all().flatMap((flight): Choice[] =>
        [...faultsOf(flight), ...(kill ? killsOf(flight) : [])].map((action) => ({
          task: flight.task,
          action,
        })),
      ),
      ...waiting.map((client): Choice => ({ task: taskOf(client, 0), action: "give-up" })),
      ...clients.retries(),
      ...(crash ? [{ task: BACKGROUND, action: "crash" } as const] : []),
    ];
  }

  /** What does not strike a statement, but is a client's own doing. */
  byClient(client: number, fault: Fault): void {
    const { clients, pending, recording } = this.#struck;
    const task = taskOf(client, 0);
    if (fault === "retry") clients.send(client, "retry");
    else {
      const becomes = taskOf(clients.nobody, 0);
      recording.add({ type: "fault", task, fault, becomes });
      pending.handOver(client, clients.giveUp(client));
    }
  }

  /** `cut-after` and `kill-after` only mark the statement, which then goes on; see `lost`. */
  strike(flight: PendingStatement, fault: Fault): void {
    const { sleepers, pending, lockWaits } = this.#struck;
    const { session } = flight;
    if (fault === "cut-after" || fault === "kill-after") {
      flight.doomed = fault;
      return;
    }
    this.#record(flight, fault);
    if (fault === "kill-before") {
      this.#until(this.#kill());
      return;
    }
    // It does not sleep on: whoever else waits does, while this one ends.
    flight.waiting = false;
    sleepers.freeze();
    if (fault === "cancel") {
      flight.stage = "database";
      flight.gate = undefined;
      this.#until(lockWaits.cancel(session.pid));
      return;
    }
    pending.land(session);
    if (fault === "cut-before") session.cut();
    else {
      session.ended = "by-server";
      this.#terminated.add(session);
      this.#until(lockWaits.end(session.pid));
    }
  }

  /** The answer to a marked statement is there, and is lost. */
  lost(flight: PendingStatement, by: NonNullable<PendingStatement["doomed"]>): void {
    if (by !== "crash") this.#record(flight, by);
    if (by === "kill-after") this.#until(this.#kill());
    else flight.session.cut();
  }

  /**
   * The service ends, and its sessions with it. Those that are inside the server do not notice by
   * themselves, and would go on: they are ended first, all that wait as one, so that none of them gets
   * what another one had.
   */
  async #kill(): Promise<void> {
    const { pending, lockWaits, sleepers, clients, kill } = this.#struck;
    this.#down = "service";
    sleepers.freeze();
    const inside = pending
      .all()
      .filter(({ session }) => session.origin.service)
      .filter(({ stage, gate }) => stage !== "answered" && !(stage === "held" && !gate));
    const pids = inside.map(({ session }) => session.pid);
    for (const { session } of inside) session.ended = "lost";
    for (const pid of pids) await lockWaits.end(pid);
    sleepers.resume(inside);
    if (pids.length > 0) await lockWaits.terminate(pids);
    await clients.inOrder(async () => kill?.());
    this.#up();
  }

  /** Each client that waits for the server will learn of its end when it is its turn. */
  crash(): void {
    const { pending, recording, proxy, crash } = this.#struck;
    recording.add({ type: "fault", task: BACKGROUND, fault: "crash" });
    const sessions = [...proxy.sessions];
    for (const session of sessions) session.ended = "lost";
    // Not before the server is dead: one whose session ends would let go of what another one waits for.
    const dead = () => {
      for (const session of sessions) {
        const flight = pending.on(session);
        if (flight === undefined) session.cut();
        else {
          flight.stage = "answered";
          flight.doomed = "crash";
          flight.frozen = false;
          flight.gate = undefined;
        }
      }
    };
    this.#down = "server";
    this.#until((async () => crash?.(dead))().then(() => this.#up()));
  }

  #up(): void {
    this.#down = undefined;
    this.#struck.rest.disturb();
  }

  /** A session has ended. */
  closed(session: ProxySession): void {
    this.#terminated.delete(session);
  }

  #record({ task, stage, gate, statement }: PendingStatement, fault: Fault): void {
    const held = stage === "held" && gate === undefined;
    this.#struck.recording.add({ type: "fault", task, fault, ...(held && { statement }) });
  }

  #until(work: Promise<unknown>): void {
    work.catch((error: HarnessError) => this.#struck.rest.fail(error));
  }
}
