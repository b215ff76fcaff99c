import type { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import { BACKGROUND, type Choice, taskOf } from "../core/schedule.ts";
import type { FaultEvent } from "../core/trace.ts";
import type { PendingStatement, ProxySession, ResponseFault } from "../proxy/pending-statement.ts";
import type { BlockedBackends } from "./blocked-backends.ts";
import type { LockWaits } from "./lock-waits.ts";
import type { PendingStatements } from "./pending-statements.ts";

/** The faults of a statement that take effect at once. */
export type StatementFault =
  | "cut-before"
  | "cancel"
  | "terminate"
  | "kill-before"
  | "kill-client-before";

/** The faults that take effect when the answer would be delivered. */
export type LossFault = Exclude<ResponseFault, "crash">;

/** The faults that can be injected into a statement where it is. */
function faultsOf({ state }: PendingStatement): readonly Fault[] {
  switch (state.at) {
    case "held":
      return ["cut-before", "cut-after", "terminate"];
    case "gate":
      return [
        ...(state.gate.inMessage ? [] : ["cancel" as const]),
        ...(state.lostBy === undefined ? ["cut-after" as const] : []),
        "terminate",
      ];
    case "running":
    case "waiting":
    case "stopped":
      return ["cancel", "terminate"];
    case "answered":
      return ["cut-after"];
    default:
      return [];
  }
}

/** The same, for the faults that kill the process that has sent the statement. */
function killsOf({ state }: PendingStatement, before: Fault, after: Fault): readonly Fault[] {
  switch (state.at) {
    case "held":
      return [before, after];
    case "gate":
      return state.lostBy === undefined ? [before, after] : [before];
    case "answered":
      return [after];
    case "lost":
    case "complete":
      return [];
    default:
      return [before];
  }
}

/** The clients into which faults can be injected. */
interface ClientFaults {
  /** The clients that wait for a response. */
  waiting(): readonly number[];
  /** The clients that can send their last operation again. */
  retries(): readonly Choice[];
}

/** The processes that faults can kill, and start again. */
interface KillableProcesses {
  /** The sessions between them. */
  readonly sessions: Iterable<ProxySession>;
  /** Kills the service and starts it again; undefined where faults may not. */
  readonly kill: (() => Promise<void>) | undefined;
  /** Kills a client and ends its sessions; undefined where faults may not. */
  readonly killClient: ((client: number) => Promise<void>) | undefined;
  /** Kills the server, calls `dead`, and starts it again; undefined where faults may not. */
  readonly crash: ((dead: () => void) => Promise<void>) | undefined;
}

/** Is called with what the injector does. */
interface FaultListener {
  injected(event: FaultEvent): void;
  /** A killed process is running again. */
  restarted(): void;
  failed(error: HarnessError): void;
}

/** Injects faults. Quiescence is not reached before everything that a fault ends has ended. */
export class FaultInjector {
  readonly #statements: PendingStatements;
  readonly #blocked: Pick<BlockedBackends, "stopWaiting" | "resume">;
  readonly #backends: Pick<LockWaits, "cancel" | "end" | "terminate">;
  readonly #processes: KillableProcesses;
  readonly #listener: FaultListener;
  /** Sessions that the server is ending. */
  readonly #terminated = new Set<ProxySession>();
  /** The killed process, until it is running again. */
  #down: "service" | "client" | "server" | undefined;

  constructor(
    statements: PendingStatements,
    blocked: Pick<BlockedBackends, "stopWaiting" | "resume">,
    backends: Pick<LockWaits, "cancel" | "end" | "terminate">,
    processes: KillableProcesses,
    listener: FaultListener,
  ) {
    this.#statements = statements;
    this.#blocked = blocked;
    this.#backends = backends;
    this.#processes = processes;
    this.#listener = listener;
  }

  /** Whether a session or a process is ending, or being started again. */
  get unsettled(): boolean {
    return this.#down !== undefined || this.#terminated.size > 0;
  }

  /** Whether the session's statements are no part of the execution: the service is being started. */
  passes({ origin }: ProxySession): boolean {
    return this.#down === "service" && origin.service === true;
  }

  /** All faults that can be injected now, in a fixed order. */
  possible(clients: ClientFaults): Choice[] {
    const { crash } = this.#processes;
    // A client with connections of its own waits for no service that could continue without it.
    const patient = clients.waiting().filter((client) => {
      const statements = this.#statements.of(client);
      return (
        statements.length > 0 &&
        statements.every(({ session }) => session.origin.client === undefined)
      );
    });
    return [
      ...this.#statements.all().flatMap((pending): Choice[] =>
        [...faultsOf(pending), ...this.#killsOf(pending)].map((action) => ({
          task: pending.task,
          action,
        })),
      ),
      ...patient.map((client): Choice => ({ task: taskOf(client, 0), action: "give-up" })),
      ...clients.retries(),
      ...(crash ? [{ task: BACKGROUND, action: "crash" } as const] : []),
    ];
  }

  /** Clients that share connections are one process, of which none ends by itself. */
  #killsOf(pending: PendingStatement): readonly Fault[] {
    const { kill, killClient } = this.#processes;
    const { service, client, shared } = pending.session.origin;
    if (service && kill) return killsOf(pending, "kill-before", "kill-after");
    const ends = client !== undefined && !shared && killClient !== undefined;
    return ends ? killsOf(pending, "kill-client-before", "kill-client-after") : [];
  }

  /** Injects a fault that takes effect at once. */
  inject(pending: PendingStatement, fault: StatementFault): void {
    const { session } = pending;
    this.#record(pending, fault);
    if (fault === "kill-before" || fault === "kill-client-before") {
      this.#watch(this.#kill(session));
      return;
    }
    // The other statements that wait are stopped while this one ends, and it is not.
    if (fault === "cancel") pending.cancel();
    else this.#statements.remove(session);
    this.#blocked.stopWaiting();
    if (fault === "cancel") this.#watch(this.#backends.cancel(session.pid));
    else if (fault === "cut-before") session.cut();
    else {
      session.expectEnd();
      this.#terminated.add(session);
      this.#watch(this.#backends.end(session.pid));
    }
  }

  /** Ends what a lost response ends: the service, the client, or the connection. */
  lose(pending: PendingStatement): void {
    const { state } = pending;
    if (state.at !== "lost") throw new Error(`no response is lost of one that is ${state.at}`);
    if (state.by !== "crash") this.#record(pending, state.by);
    if (state.by === "kill-after" || state.by === "kill-client-after")
      this.#watch(this.#kill(pending.session));
    else pending.deliver();
  }

  /**
   * Ends the service or the client that has a session, and its sessions with it. Backends that have a statement do
   * not notice that by themselves and would continue. They are ended first, and those that wait are stopped
   * meanwhile, so that none of them gets what another one held.
   */
  async #kill({ origin }: ProxySession): Promise<void> {
    const { service, client } = origin;
    this.#down = service ? "service" : "client";
    this.#blocked.stopWaiting();
    const inServer = this.#statements
      .all()
      .filter(
        ({ session: { origin: other }, isInServer }) =>
          isInServer && (service ? other.service : other.client === client),
      );
    const pids = inServer.map(({ session }) => session.pid);
    for (const { session } of inServer) session.ignoreServer();
    for (const pid of pids) await this.#backends.end(pid);
    this.#blocked.resume(inServer);
    if (pids.length > 0) await this.#backends.terminate(pids);
    if (service) await this.#processes.kill?.();
    else if (client !== undefined) await this.#processes.killClient?.(client);
    this.#up();
  }

  /** Kills the server. Each client with a statement loses its connection when its task is chosen. */
  crash(): void {
    this.#listener.injected({ type: "fault", task: BACKGROUND, fault: "crash" });
    const sessions = [...this.#processes.sessions];
    for (const session of sessions) session.ignoreServer();
    // A session that ended before the server is dead would release what another one waits for.
    const dead = () => {
      for (const session of sessions) {
        const pending = this.#statements.on(session);
        if (pending === undefined) session.cut();
        else if (pending.state.at !== "complete") pending.crash();
      }
    };
    this.#down = "server";
    this.#watch((async () => this.#processes.crash?.(dead))().then(() => this.#up()));
  }

  #up(): void {
    this.#down = undefined;
    this.#listener.restarted();
  }

  /** Notes that a session has ended. */
  closed(session: ProxySession): void {
    this.#terminated.delete(session);
  }

  #record({ task, state, statement }: PendingStatement, fault: Fault): void {
    this.#listener.injected({
      type: "fault",
      task,
      fault,
      ...(state.at === "held" && { statement }),
    });
  }

  #watch(work: Promise<unknown>): void {
    work.catch((error: HarnessError) => this.#listener.failed(error));
  }
}
