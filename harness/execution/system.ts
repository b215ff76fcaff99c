import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connectionLost, HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import { endsProcess, type Fault, isKill } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";

/** Where a system under test finds its database, and what it may use. */
export interface SystemContext {
  /** Connection string of the gated proxy: the service, and clients that call functions directly. */
  readonly gatedUrl: string;
  /**
   * The same without a socket, for drivers that take a stream: it spares a service in this process
   * two writes and reads at each statement. Not given where nothing is gated.
   */
  readonly gatedStream?: () => Duplex;
  /**
   * The same on a port, for a service that is a process of its own. Given a client, for its own
   * connections: whatever comes there is this client's.
   */
  urlFor(client?: number): Promise<string>;
  /**
   * Listens on this port of the machine for a service that runs already and was pointed there. It is
   * led to this database, by whatever name it asks for.
   */
  listenOn(port: number): Promise<void>;
  /** How many connections of a client are open. */
  sessionsOf(client: number): number;
  /** Connection string past the proxy, for `reset` and `observe`. */
  readonly directUrl: string;
  /** Whether the service is to be one that can be killed (`System.kill`). */
  readonly killable?: boolean;
  /** A private folder that is removed afterwards; for sockets. Its path is short. */
  readonly folder: string;
}

/** The system under test, as the machinery needs it. */
export interface System<State extends Json = Json, Op extends Operation = Operation> {
  /** Puts the database into a scenario's initial state; sequences restart, so that ids repeat. */
  reset(initial: State): Promise<void>;
  /** Whether something was done to the database that `reset` cannot undo: then it gets another. */
  dirty?(): Promise<boolean>;
  /**
   * Sends one operation as one client and returns what the service answered. A refusal is a
   * `Response`; a lost connection is one with outcome `info`; only what is the harness's own fault
   * is thrown. `patience` is aborted when the client waits no longer and learns of no answer; the
   * request goes on, and its end is what this has to wait for all the same.
   */
  perform(operation: Op, client: number, patience?: AbortSignal): Promise<Response>;
  /** Reads committed state, past the proxy, after all clients are done. */
  observe(): Promise<Snapshot>;
  /**
   * All that is in the database, past the proxy, after all clients are done: equal for two
   * executions that left the same. Times that come from the clock are left out.
   */
  contents?(): Promise<Snapshot>;
  /**
   * How many requests stand in a queue inside the service, for what other requests hold: mostly a
   * connection of its pool. Without it such a wait is a step that takes too long.
   */
  queued?(): number;
  /**
   * Whose request has the connection with that backend (by its process id) checked out. It is asked
   * of each statement, and has to be known where requests queue: what one of them gives back goes to
   * another one, whoever is running. Undefined: the one that is running.
   */
  ownerOf?(pid: number): number | undefined;
  /** How many connections of its pools are checked out. */
  connectionsInUse?(): number;
  /** What the service waits for that is not the database ("connection pool: 2 waiting"), if known. */
  waitsFor?(): string | undefined;
  /**
   * Opens the connections that an execution with faults has cost, so that the next one finds all of
   * them open. A system that does not have it is started anew instead.
   */
  warm?(): Promise<void>;
  /** The server was killed and is there again: opens what it has past the proxy. */
  recover?(): Promise<void>;
  /**
   * Kills the service, and starts it again. Resolves when it takes operations, and `perform` has resolved
   * for all that were under way in it.
   */
  kill?(): Promise<void>;
  stop(): Promise<void>;
}

/** What is executed: a schema, and a system under test that uses it. */
export interface SystemFactory<State extends Json, Op extends Operation> {
  /** Applies the schema to an empty database. */
  migrate(directUrl: string): Promise<void>;
  start(context: SystemContext): Promise<System<State, Op>>;
}

/**
 * Starts a system that stands the faults. Each start has a folder of its own, so that it meets no
 * socket of an earlier one. Throws HarnessError `UNSUPPORTED` when something cannot be killed that
 * the faults kill.
 */
export async function startSystem<State extends Json, Op extends Operation>(
  server: Server,
  {
    database,
    folder,
    proxy,
  }: { readonly database: Database; readonly folder: string; readonly proxy: WireProxy },
  setup: SystemFactory<State, Op>,
  faults: readonly Fault[] = [],
): Promise<System<State, Op>> {
  const [crashes, killable] = [faults.includes("crash"), faults.some(isKill)];
  if (crashes && server.faults === undefined) throw unsupported("crash", "this server");
  const own = await mkdtemp(join(folder, "s"));
  const context = {
    gatedUrl: proxy.url,
    gatedStream: () => proxy.connection(),
    urlFor: (client?: number) => proxy.urlFor(client),
    listenOn: (port: number) => proxy.listenOn(port),
    sessionsOf: (client: number) => proxy.sessionsOf(client),
    directUrl: database.url,
    killable,
    folder: own,
  };
  const system = await attributed("the model's start()", setup.start(context));
  const what =
    (crashes && system.recover === undefined && "the database of this model") ||
    (killable && system.kill === undefined && "the service of this model");
  if (what === false) return system;
  await system.stop();
  throw unsupported(faults.filter(endsProcess).join(","), what);
}

function unsupported(faults: string, what: string): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `${what} cannot be killed and started again: do without the faults ${faults}`,
  );
}

/**
 * An error of code that is not the harness's own becomes one that names what failed, such as `the
 * model's reset()`. A connection that was lost is nobody's code.
 */
export async function attributed<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (isLost(cause, message)) throw connectionLost(message);
    throw new HarnessError("MODEL_FAILED", `${what} failed: ${String(cause)}`, {
      cause,
    });
  }
}

/** SQLSTATE 57P01 to 57P03 (shutdown, crash), the system's own codes, and what `pg` says itself. */
function isLost(cause: unknown, message: string): boolean {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return (
    /^57P0[123]$|^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$/.test(code) ||
    /^Connection terminated|^Client has encountered a connection error/.test(message)
  );
}
