import type { Duplex } from "node:stream";
import type { Snapshot } from "../core/execution.ts";

/** The counts of a pool of connections, as the pools of `pg` have them. */
export interface ConnectionPool {
  readonly totalCount: number;
  readonly idleCount: number;
  /** The number of requests that wait for a connection. */
  readonly waitingCount: number;
  /** Its size is `max`. Default: not known. */
  readonly options?: { readonly max?: number | undefined };
}

/** A service as its function has started it, in the process that called the function. */
export interface StartedService {
  /** The URL at which it takes requests. */
  readonly url: string;
  /** Its pools: a connection that it never gives back is then a finding, and waits for one are seen. */
  readonly pools?: readonly ConnectionPool[];
  /** Opens the connections that were lost. Without it, the service is started again after their loss. */
  warm?(): unknown;
  stop(): unknown;
}

/** What a service is started with. */
export interface ServiceStart {
  /** The connections of the service have to use it. */
  readonly databaseUrl: string;
  /** The name of the seeded bug that it is to have. */
  readonly mutant?: string;
  /** The URL of `outside`. */
  readonly outsideUrl?: string;
}

/**
 * Starts a service. Where faults may kill it (`--faults service`), another process loads the definition's
 * file and calls the function there; else it is called in the process of Heddle, with a stream for each
 * connection that saves the way over a socket.
 */
export type StartService = (
  context: ServiceStart & { readonly databaseStream?: () => Duplex },
) => StartedService | Promise<StartedService>;

/**
 * What the service uses besides its database, such as a stand-in for a payment gateway. It runs in the process
 * of Heddle, so that it goes on when the service is killed.
 */
export interface OutsideService {
  readonly url: string;
  /** Puts it into the state that belongs to these rows, before each execution. */
  begin?(rows: Snapshot): unknown;
  stop(): unknown;
}
