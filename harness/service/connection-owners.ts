import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { ConnectionPool } from "./service-start.ts";

/** The header with the number of the client that sends a request to a service in this process. */
export const CLIENT_HEADER = "x-heddle-client";

/** An HTTP server of Node is about to handle a request. */
const REQUEST_STARTS = "http.server.request.start";

/** `connect` of a pool, with a callback or with a promise, as `pg` has it. */
type Connect = (
  callback?: (error: unknown, connection: unknown, release: unknown) => void,
) => unknown;

/**
 * Tracks the client whose request has checked a connection out of a pool in this process: a connection that one
 * request gives back goes to another one, whichever client is running.
 */
export class ConnectionOwners {
  readonly #client = new AsyncLocalStorage<number>();
  /** Clients by the process id of the backend. */
  readonly #owners = new Map<number, number>();

  constructor(pools: readonly ConnectionPool[]) {
    subscribe(REQUEST_STARTS, this.#enter);
    for (const pool of pools) this.#watch(pool);
  }

  ownerOf(pid: number): number | undefined {
    return this.#owners.get(pid);
  }

  stop(): void {
    unsubscribe(REQUEST_STARTS, this.#enter);
  }

  /** What the request does belongs to its client from now on. */
  readonly #enter = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    const client = request.headers[CLIENT_HEADER];
    if (client !== undefined) this.#client.enterWith(Number(client));
  };

  #watch(pool: ConnectionPool): void {
    if (!("connect" in pool) || typeof pool.connect !== "function") return;
    const connect = pool.connect.bind(pool) as Connect;
    const watched: Connect = (callback) => {
      const owner = this.#client.getStore();
      const { waitingCount: waited, idleCount: idle } = pool;
      let isQueued = false;
      const own = (connection: unknown) => {
        const { processID } = (connection ?? {}) as { readonly processID?: number };
        if (processID === undefined) return connection;
        // Without a wait it is the running client that uses the connection, or what goes on after an answer.
        if (isQueued && owner !== undefined) this.#owners.set(processID, owner);
        else this.#owners.delete(processID);
        return connection;
      };
      const connected =
        callback === undefined
          ? (connect() as Promise<unknown>).then(own)
          : connect((error, connection, release) => callback(error, own(connection), release));
      // Where a connection is idle, the pool of `pg` queues a request, too, and serves it at once.
      isQueued = pool.waitingCount > waited && idle <= waited;
      return connected;
    };
    Object.assign(pool, { connect: watched });
  }
}
