import { AsyncLocalStorage } from "node:async_hooks";
import { rm } from "node:fs/promises";
import { platform } from "node:os";
import type { FastifyInstance } from "fastify";
import { Client, Pool, type PoolClient } from "pg";
import type { Dispatcher } from "undici";
import type { SystemContext } from "../../harness/index.ts";
import { type Tokens, tokensWith } from "../../src/authentication.ts";
import { httpGateway } from "../../src/gateway.ts";
import { buildServer } from "../../src/server.ts";
import { postgresStore } from "../../src/store.ts";
import type { BookingMutant } from "./mutants/mutant.ts";

/** How to start the booking service. */
export interface ServiceOptions {
  readonly database: Parameters<typeof openPool>[0];
  /** The size of its pool, whose connections are all opened at the start. */
  readonly connections: number;
  readonly gatewayUrl: string;
  /** The path of the socket, or the name of the pipe, on which it listens. */
  readonly socket: string;
}

/** A running booking service. */
export interface RunningBooking {
  readonly pool: Pool;
  /** Opens the connections that were lost. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

/** Signs the tokens of the clients. */
export const tokens = tokensWith("the key of a service that is verified");

/**
 * Starts the service, with a seeded bug if `mutant` is given. The timeouts of src/settings.ts are off: the
 * server's clock for locks and statements also runs while a statement is held at a gate, and a request
 * waits for its statements.
 */
export async function startService(
  { database, connections, gatewayUrl, socket }: ServiceOptions,
  mutant: BookingMutant | undefined,
  requesters?: ConnectionOwners,
): Promise<RunningBooking> {
  const { pool, warm, close } = await openPool(database, connections);
  const client = httpGateway(gatewayUrl);
  const store = postgresStore(pool);
  const server = buildServer({
    tokens: readOnce(tokens),
    store: mutant?.store?.(store, pool) ?? store,
    gateway: mutant?.gateway?.(client, gatewayUrl) ?? client,
  });
  requesters?.watchRequests(server);
  requesters?.watchConnections(pool);
  server.server.keepAliveTimeout = 0; // Idle connections stay open.
  // A service that was killed leaves its socket behind.
  if (platform() !== "win32") await rm(socket, { force: true });
  await server.listen({ path: socket });
  return {
    pool,
    warm,
    async close() {
      await server.close();
      await client.close();
      await close();
    },
  };
}

/** Verifies each token once, since the verification runs on other threads, and would add a race. */
function readOnce(tokens: Tokens): Tokens {
  const read = new Map<string, ReturnType<Tokens["read"]>>();
  return {
    issue: (actor, days) => tokens.issue(actor, days),
    read(token) {
      const actor = read.get(token) ?? tokens.read(token);
      read.set(token, actor);
      return actor;
    },
  };
}

/** A pool that opens all connections at the start, and can close those that are still in use. */
export interface WarmPool {
  readonly pool: Pool;
  /** Reopens lost connections. The pool must not be in use meanwhile. */
  warm(): Promise<void>;
  /** Closes every connection, those that were never released too, and waits until they have ended. */
  close(): Promise<void>;
}

export async function openPool(
  { gatedUrl, gatedStream }: Pick<SystemContext, "gatedUrl" | "gatedStream">,
  size: number,
): Promise<WarmPool> {
  const pool = new Pool({
    connectionString: gatedUrl,
    ...(gatedStream && { stream: gatedStream }),
    max: size,
    idleTimeoutMillis: 0,
  });
  const living = new Set<Client>();
  // The query on a connection that dies rejects. The error of an idle connection can be ignored.
  pool.on("error", ignore);
  pool.on("connect", (client) => {
    if (!(client instanceof Client)) return;
    living.add(client);
    client.on("error", ignore);
    client.once("end", () => living.delete(client));
  });

  const warm: WarmPool = {
    pool,
    async warm() {
      const opened = await Promise.allSettled(Array.from({ length: size }, () => pool.connect()));
      for (const one of opened) if (one.status === "fulfilled") one.value.release();
      const failed = opened.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    async close() {
      // Not awaited: it would wait for ever for connections that are never released.
      pool.end().catch(ignore);
      await Promise.all([...living].map((client) => client.end()));
    },
  };
  try {
    await warm.warm();
  } catch (error) {
    await warm.close();
    throw error;
  }
  return warm;
}

function ignore(): void {}

/** The header with the number of the client that sends a request. */
const HEADER = "x-client";

type Sender = Pick<Dispatcher, "request">;

/** `Pool.connect` with a callback or with a promise. */
type Connect = (
  callback?: (
    error: Error | undefined,
    client: PoolClient | undefined,
    release: () => void,
  ) => void,
) => unknown;

/**
 * Tracks the client whose request uses each connection, for a pool with fewer connections than there
 * are clients.
 */
export class ConnectionOwners {
  readonly #client = new AsyncLocalStorage<number>();
  /** Clients by the process id of the backend. */
  readonly #owners = new Map<number, number>();

  ownerOf(pid: number): number | undefined {
    return this.#owners.get(pid);
  }

  /** Sends requests with the client's number. */
  sender(http: Sender, client: number): Sender {
    const request = (options: Dispatcher.RequestOptions) =>
      http.request({ ...options, headers: { ...options.headers, [HEADER]: String(client) } });
    return { request: request as Sender["request"] };
  }

  /** Attributes the pool's connections to the client whose request the service handles. */
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
