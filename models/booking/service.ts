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

/** What the booking service is told when it is started. */
export interface ServiceOptions {
  readonly database: Parameters<typeof openPool>[0];
  /** The size of its pool. All of them are open from the start. */
  readonly connections: number;
  readonly gatewayUrl: string;
  /** Where it listens: the path of a socket, or the name of a pipe. */
  readonly socket: string;
}

/** The booking service, running. */
export interface RunningBooking {
  readonly pool: Pool;
  /** Opens the connections that were lost. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

/** Signs the tokens of the clients; any key will do. */
export const tokens = tokensWith("the key of a service that is verified");

/** Starts the service, with a seeded bug if there is to be one. */
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
  server.server.keepAliveTimeout = 0; // Never: an idle connection stays open.
  // One that was killed has left its own.
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

/** Reads each token once: its signature is checked by threads of their own, request by request. */
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

/** A pool whose connections are open from the start, and closed in the end whatever holds them. */
export interface WarmPool {
  readonly pool: Pool;
  /** Opens the connections that were lost. Nobody may use the pool meanwhile. */
  warm(): Promise<void>;
  /** Ends every connection, also one that was never given back, and waits until it has ended. */
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
  // A connection that dies is the business of whoever uses it; nobody uses an idle one.
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
      // Not waited for: it would wait for ever for what is never given back.
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
