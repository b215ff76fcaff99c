import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance } from "fastify";
import type { Pool, PoolClient } from "pg";
import type { Dispatcher } from "undici";

/** Names the client that sends a request. */
const HEADER = "x-client";

type Sender = Pick<Dispatcher, "request">;

/** Connects, in both of the ways that a pool has. */
type Connect = (
  callback?: (
    error: Error | undefined,
    client: PoolClient | undefined,
    release: () => void,
  ) => void,
) => unknown;

/**
 * Knows whose request has which connection, where there are fewer connections than clients: what one
 * request gives back goes to another one.
 */
export class ConnectionOwners {
  readonly #client = new AsyncLocalStorage<number>();
  /** By the process ids of backends. */
  readonly #owners = new Map<number, number>();

  ownerOf(pid: number): number | undefined {
    return this.#owners.get(pid);
  }

  /** Sends requests as that client. */
  sender(http: Sender, client: number): Sender {
    const request = (options: Dispatcher.RequestOptions) =>
      http.request({ ...options, headers: { ...options.headers, [HEADER]: String(client) } });
    return { request: request as Sender["request"] };
  }

  /** What the service asks of a pool for a request is that of the client that sent it. */
  watchRequests(server: FastifyInstance): void {
    server.addHook("preHandler", (request, _reply, done) => {
      this.#client.run(Number(request.headers[HEADER] ?? -1), done);
    });
  }

  watchConnections(pool: Pool): void {
    const connect = pool.connect.bind(pool) as Connect;
    const watched: Connect = (callback) => {
      const owner = this.#client.getStore();
      const own = <T>(client: T): T => {
        const pid = client && (client as { processID?: number }).processID;
        if (pid && owner !== undefined) this.#owners.set(pid, owner);
        return client;
      };
      if (callback === undefined) return (connect() as Promise<PoolClient>).then(own);
      return connect((error, client, release) => callback(error, own(client), release));
    };
    Object.assign(pool, { connect: watched });
  }
}
