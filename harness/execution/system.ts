import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Control } from "../core/control.ts";
import { connectionLost, HarnessError, TOO_MANY_CONNECTIONS } from "../core/error.ts";
import type { ServiceEnd, Snapshot } from "../core/execution.ts";
import { type Fault, isClientKill, isKill } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";

/** The port of a client that is started before its turn: connections to it wait until `open` is called. */
export interface HeldPort {
  readonly url: string;
  /** How long the first connection has been waiting, in ms; 0 while there is none. */
  readonly waitedMs: number;
  open(): void;
  /** Lets in no other connection, and ends those that wait. */
  close(): void;
}

/** Where a system under test finds its database, and what else it may use. */
export interface SystemContext {
  /** Connection string of the proxy, for the service and for clients that call functions directly. */
  readonly gatedUrl: string;
  /**
   * A connection to the proxy without a socket, for drivers that take a stream. It saves a service in
   * this process two writes and two reads for each statement. Not given where nothing is gated.
   */
  readonly gatedStream?: () => Duplex;
  /**
   * Connection string of the proxy on a port, for a service in a process of its own. Given a client,
   * it is the string of a port whose connections all belong to that client.
   */
  urlFor(client?: number): Promise<string>;
  /**
   * Listens on this port of the machine, for a service that runs already and was configured with it.
   * Its connections lead to this database, whatever user and database they ask for, given the password.
   * Without a password no connection is let in.
   */
  listenOn(port: number, password?: string): Promise<void>;
  /**
   * A port of its own for a client that is started before its turn: its connections wait there. Not given where
   * nothing is gated.
   */
  readonly heldPort?: (client: number) => Promise<HeldPort>;
  /** The number of open connections of a client; 0 if it shares them with other clients. */
  sessionsOf(client: number): number;
  /** Whether a statement of a client is under way: it may be held for as long as others run. */
  isBusy(client: number): boolean;
  /** Connection string past the proxy, for `reset` and `observe`. */
  readonly directUrl: string;
  /** The same on a port of this machine, for libraries that take no socket. Default: `directUrl`. */
  readonly directPortUrl?: string;
  /** Whether faults may kill the service, so that it needs `System.kill`. Default: false. */
  readonly killable?: boolean;
  /**
   * Whether faults may kill clients, and nothing was executed yet that shows which of them share a pool, so that
   * they are one process. A system with clients in this process then `remembers`. Default: false.
   */
  readonly sharingUnknown?: boolean;
  /**
   * The time, in ISO 8601, at which the clock stands for a service in another process, whose random numbers are
   * to be seeded for each execution. In this process Heddle does both. Default: neither.
   */
  readonly freeze?: string;
  /** The path of a file for the standard error of a service in another process. Default: none. */
  readonly serviceLog?: string;
  /** A private folder for sockets, which is removed afterwards. Its path is short. */
  readonly folder: string;
}

/** A running system under test. */
export interface System<State extends Json = Json, Op extends Operation = Operation> {
  /** Puts the database into a scenario's initial state; sequences restart, so that ids repeat. */
  reset(initial: State): Promise<void>;
  /**
   * Whether the database has a change that `reset` cannot undo. The harness then undoes changes of the schema if
   * `restoresRows` is set, or puts the database back as the setup left it; and starts the system anew unless it is
   * `stateless`.
   */
  dirty?(): Promise<boolean>;
  /**
   * Whether `reset` puts all rows and the positions of sequences back, so that of what `dirty` notices only the schema
   * has to be undone. Default: false.
   */
  readonly restoresRows?: boolean;
  /** Whether only the database remembers an execution, so that no start has to forget it. Default: false. */
  readonly stateless?: boolean;
  /**
   * Sends one operation as one client, and resolves with what the service answered. A refusal is a
   * `Response`; a lost connection is one with outcome `info`; only an error of the harness itself is
   * thrown. `patience` is aborted when the client gives up: the client gets no response, but the request
   * continues, and this resolves when it has ended.
   */
  perform(operation: Op, client: number, patience?: AbortSignal): Promise<Response>;
  /** Whether a client that got no answer may send the operation again (the fault `retry`). Default: it may. */
  retries?(operation: Op): boolean;
  /**
   * Reads committed state, past the proxy.
   *
   * @param when `commit`: after a commit, while clients may still have operations under way
   */
  observe(when?: "end" | "commit"): Promise<Snapshot>;
  /**
   * Reads the whole content of the database, past the proxy, after all clients are done: it is equal for two
   * executions that left the same state. Times from the clock are left out.
   */
  contents?(): Promise<Snapshot>;
  /**
   * All rows as `reset` left them, where the scenario's initial state is not made of rows: it is read
   * after a reset, and their ids are the same in each execution of the scenario.
   */
  initialContents?(): Snapshot;
  /**
   * Runs operations serially, before any execution, and returns what `Service.profiled` takes.
   *
   * @param pairs whether the service's pairs of operations are needed too
   */
  profile?(pairs: boolean): Promise<Json>;
  /**
   * The number of requests that wait inside the service for what other requests hold, mostly a
   * connection of its pool. Without it such a wait ends in HarnessError `STEP_TIMEOUT`.
   */
  queued?(): number;
  /**
   * The client whose request has the connection to that backend (by its process id) checked out. It is
   * called for each statement. It has to be known where requests queue, since a connection that one
   * request gives back goes to another one, whichever client is running. Undefined: the running one.
   */
  ownerOf?(pid: number): number | undefined;
  /** The number of connections of its pools that are checked out. */
  connectionsInUse?(): number;
  /**
   * The most connections that the smallest of its pools opens, if known. Where clients may use all of them up, the
   * order of any two statements decides which client gets the next one: then no interleaving is left out.
   */
  mostConnections?(): number;
  /** What the service waits for outside the database ("connection pool: 2 waiting"), if known. */
  waitsFor?(): string | undefined;
  /**
   * Opens the connections that an execution with faults has ended, so that the next one finds all of
   * them open. Without it the harness starts the system anew instead.
   */
  warm?(): Promise<void>;
  /** Connects again past the proxy, after the server was killed and restarted. */
  recover?(): Promise<void>;
  /**
   * Kills the service, and starts it again. Resolves once it takes operations and `perform` has
   * resolved for all operations that were under way.
   */
  kill?(): Promise<void>;
  /**
   * Kills a client that uses the database itself. Resolves once its program has ended, if it is one, and `perform`
   * has resolved with an unknown outcome. What code of this process still does has no effect: the harness ends
   * the client's connections, and lets it open no others.
   */
  killClient?(client: number): Promise<void>;
  /**
   * Whether the service may remember something from its first request on, such as a cache or prepared
   * statements. The harness then executes a scenario once, without checking it, after each start.
   */
  readonly remembers?: boolean;
  /** What the system leaves uncontrolled, as sentences of a report. */
  notes?(): readonly string[];
  /**
   * How the service ended by itself; undefined while it runs. The harness then starts the system anew.
   * Operations that are sent to such a service have an unknown outcome.
   */
  ended?(): ServiceEnd | undefined;
  /** The harness is about to end all connections, and then the system: an error of that is none of the service's. */
  disconnecting?(): void;
  stop(): Promise<void>;
}

/** How to set up a system under test: a migrated schema, and a service on it. */
export interface SystemFactory<State extends Json, Op extends Operation> {
  /** Applies the schema to an empty database. See `Control.freeze`, which holds for setups too. */
  migrate(directUrl: string, freeze?: string): Promise<void>;
  /**
   * Does to a migrated database, which has its gates, what each start would do to it: starts on copies of it then find
   * it done. Default: nothing.
   */
  prepare?(directUrl: string): Promise<void>;
  start(context: SystemContext): Promise<System<State, Op>>;
  /** Forgets what the code of the system keeps in the memory of this process, before a fresh start. */
  refresh?(): Promise<void>;
}

/** What a system is started on. */
interface SystemEnvironment {
  readonly database: Database;
  readonly folder: string;
  readonly proxy: WireProxy;
  readonly directPort: { readonly url: string };
}

/**
 * Starts a system for executions with the faults. Each start has a folder of its own, so that no socket
 * of an earlier one is in it. Throws HarnessError `UNSUPPORTED` when the faults kill something that
 * cannot be started again.
 */
export async function startSystem<State extends Json, Op extends Operation>(
  server: Server,
  { database, folder, proxy, directPort }: SystemEnvironment,
  factory: SystemFactory<State, Op>,
  {
    faults = [],
    control: { freeze },
    serviceLog,
  }: {
    readonly faults?: readonly Fault[];
    readonly control: Pick<Control, "freeze">;
    readonly serviceLog?: string | undefined;
  },
): Promise<System<State, Op>> {
  const [crashes, killable] = [faults.includes("crash"), faults.some(isKill)];
  if (crashes && server.faults === undefined) throw unkillable("this server", ["crash"]);
  const context = {
    gatedUrl: proxy.url,
    gatedStream: proxy.nextGeneration(),
    urlFor: (client?: number) => proxy.urlFor(client),
    listenOn: (port: number, password?: string) => proxy.listenOn(port, password),
    heldPort: (client: number) => proxy.heldPort(client),
    sessionsOf: (client: number) => proxy.sessionsOf(client),
    isBusy: (client: number) => proxy.isBusy(client),
    directUrl: database.url,
    directPortUrl: directPort.url,
    killable,
    sharingUnknown: faults.some(isClientKill) && proxy.generation === 1,
    ...(freeze !== undefined && { freeze }),
    ...(serviceLog !== undefined && { serviceLog }),
    folder: await mkdtemp(join(folder, "s")),
  };
  const system = await attributed("the service's start()", factory.start(context));
  const refused =
    crashes && system.recover === undefined
      ? unkillable("the database of this service", ["crash"])
      : killable && system.kill === undefined
        ? unkillable("this service", faults.filter(isKill))
        : faults.some(isClientKill) && system.killClient === undefined
          ? unkillable(
              "a client that does not use the database itself",
              faults.filter(isClientKill),
            )
          : undefined;
  if (refused === undefined) return system;
  await system.stop();
  throw refused;
}

function unkillable(what: string, faults: readonly Fault[]): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `${what} cannot be killed and started again: do without the faults ${faults.join(",")}`,
  );
}

/**
 * Attributes an error of the user's code: it becomes HarnessError `SERVICE_FAILED`, which names what
 * failed, such as `the service's reset()`. A lost connection becomes `CONNECTION_LOST` instead.
 *
 * @param isLost whether an error is that of a lost connection
 */
export async function attributed<T>(
  what: string,
  work: Promise<T>,
  isLost: (cause: unknown) => boolean = isConnectionLost,
): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (isLost(cause)) throw connectionLost(message, codeOf(cause));
    // Node tries each address of a host, and joins the errors without a message of its own.
    const errors: readonly unknown[] =
      cause instanceof AggregateError && message === "" ? cause.errors : [cause];
    const text = errors.map(String).join("; ");
    throw new HarnessError("SERVICE_FAILED", `${what} failed: ${text}`, { cause });
  }
}

/** Whether an error is that of a connection that was lost or could not be opened. */
export function isConnectionLost(cause: unknown): boolean {
  const message = cause instanceof Error ? cause.message : String(cause);
  return (
    isShutdown(cause) ||
    codeOf(cause) === TOO_MANY_CONNECTIONS ||
    /^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$/.test(codeOf(cause)) ||
    /^Connection terminated|^Client has encountered a connection error/.test(message)
  );
}

/** Whether Postgres says that it was shut down: SQLSTATE 57P01 to 57P03. */
export function isShutdown(cause: unknown): boolean {
  return /^57P0[123]$/.test(codeOf(cause));
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/**
 * Whether so many clients may use up the connections of a pool: a request may hold one while it waits for another.
 * The order of any two statements then decides which client gets the next one, so no interleaving is left out.
 */
export function hasFewConnections(
  system: Pick<System, "mostConnections">,
  clients: number,
): boolean {
  return (system.mostConnections?.() ?? Number.POSITIVE_INFINITY) < 2 * clients;
}
