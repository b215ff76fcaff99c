import { rm } from "node:fs/promises";
import { platform } from "node:os";
import type { Pool } from "pg";
import { httpGateway } from "../../src/gateway.ts";
import { buildServer } from "../../src/server.ts";
import { postgresStore } from "../../src/store.ts";
import { type Tokens, tokensWith } from "../../src/tokens.ts";
import type { BookingMutant } from "./mutants/mutant.ts";
import type { ConnectionOwners } from "./requesters.ts";
import { openPool } from "./warm-pool.ts";

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
