import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { Client, type DatabaseError } from "pg";
import { Pool as HttpPool } from "undici";
import { type System, type SystemContext, TestClock } from "../../harness/index.ts";
import { parseActor } from "../../src/actor.ts";
import { errorFromPostgres, isTransient } from "../../src/errors.ts";
import { httpGateway } from "../../src/gateway.ts";
import { migrate } from "../../src/migrate.ts";
import { buildServer } from "../../src/server.ts";
import { type LedgerEntry, startSimulatedGateway } from "../../src/simulated-gateway.ts";
import { statement } from "../../src/statement.ts";
import { postgresStore } from "../../src/store.ts";
import { type Tokens, tokensWith } from "../../src/tokens.ts";
import { NOTHING_TO_SEND } from "./codes.ts";
import type { BookingCommand } from "./commands.ts";
import { contents } from "./contents.ts";
import { overFunction, type Query } from "./functions.ts";
import { overHttp, type TokenOf } from "./http.ts";
import type { BookingMutant } from "./mutants/mutant.ts";
import { observe } from "./observe.ts";
import { References } from "./references.ts";
import { Requesters } from "./requesters.ts";
import { openReset } from "./reset.ts";
import { refused } from "./responses.ts";
import { type BookingState, DECLINED_ATTEMPT, intentOf } from "./state.ts";
import { openPool, type WarmPool } from "./warm-pool.ts";

/** Enough for every client of a scenario to be in the database at once. */
const CONNECTIONS = 8;

export interface BookingOptions {
  /** The size of the service's pool. */
  readonly connections: number;
}

/**
 * Applies the migrations to an empty database with a clock that can be set, and what a mutant changes
 * of the schema.
 */
export async function migrateBooking(directUrl: string, mutant?: BookingMutant): Promise<void> {
  await TestClock.install(directUrl);
  await migrate(directUrl);
  if (mutant?.sql === undefined) return;
  const database = new Client({ connectionString: directUrl });
  await database.connect();
  try {
    await database.query(mutant.sql);
  } finally {
    await database.end();
  }
}

/**
 * The booking service in this process, on a socket of its own, together with its clients: HTTP
 * clients, and clients that call the database functions directly. All connections are open from the
 * start, so that connecting is no part of an execution.
 */
export async function startBooking(
  context: SystemContext,
  mutant?: BookingMutant,
  { connections }: BookingOptions = { connections: mutant?.connections ?? CONNECTIONS },
): Promise<System<BookingState, BookingCommand>> {
  const opened: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return { ...(await open(context, mutant, connections, opened)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Adds to `opened`, as it goes, how to close what it opens. */
async function open(
  context: SystemContext,
  mutant: BookingMutant | undefined,
  connections: number,
  opened: (() => Promise<unknown>)[],
): Promise<Omit<System<BookingState, BookingCommand>, "stop">> {
  const database = new Client({ connectionString: context.directUrl });
  database.on("error", () => {}); // Whatever is asked of it next says what happened.
  await database.connect();
  opened.push(() => database.end());
  const reset = await openReset(database);

  const service = await openPool(context, connections);
  opened.push(() => service.close());
  const requesters = connections < CONNECTIONS ? new Requesters() : undefined;
  requesters?.watchConnections(service.pool);
  const direct = await openPool(context, CONNECTIONS);
  opened.push(() => direct.close());

  const store = postgresStore(service.pool);
  const simulated = await startSimulatedGateway();
  opened.push(() => simulated.close());
  const client = httpGateway(simulated.url);
  opened.push(() => client.close());
  const tokens = readOnce(tokensWith(KEY));
  const tokenOf = issuer(tokens);
  const server = buildServer({
    tokens,
    store: mutant?.store?.(store, service.pool) ?? store,
    gateway: mutant?.gateway?.(client, simulated.url) ?? client,
  });
  requesters?.watchRequests(server);
  opened.push(() => server.close());
  const http = await listen(server, context.folder);
  opened.push(() => http.destroy());
  await warmUp(http);

  const queued = () => service.pool.waitingCount + direct.pool.waitingCount;
  const callDirectly: Query = (sql, values) => statement(direct.pool, sql, values);
  const clock = await TestClock.open(context.directUrl);
  opened.push(() => clock.close());
  let elapsed = false;
  let references = new References({ providers: [], slots: [], bookings: [], payments: [] });
  return {
    async reset(initial) {
      references = new References(initial);
      simulated.reset(ledgerOf(initial));
      if (elapsed) await clock.shift(0);
      elapsed = false;
      await reset(initial);
    },

    async perform(command, client, patience) {
      const request = references.resolve(command, client);
      if (typeof request === "string") return refused(NOTHING_TO_SEND[request]);
      elapsed ||= request.name === "elapse";
      if (request.name === "confirm" || request.name === "webhook") {
        const { booking, attempt } = request;
        const intent = intentOf(booking, attempt);
        simulated.settle(intent, String(booking), attempt !== DECLINED_ATTEMPT);
      }
      const response =
        request.via === "http"
          ? await overHttp(requesters?.sender(http, client) ?? http, request, tokenOf)
          : await overFunction(callDirectly, request, codeOf);
      if (!patience?.aborted) references.learn(client, request, response);
      return response;
    },

    observe() {
      const refunds = new Map(simulated.ledger().map((entry) => [entry.intent, entry.refunds]));
      return observe(database, (intent) => refunds.get(intent) ?? 0);
    },
    contents: () => contents(database),

    async warm() {
      await service.warm();
      await direct.warm();
    },

    queued,
    ...(requesters && { ownerOf: (pid: number) => requesters.ownerOf(pid) }),

    waitsFor() {
      const waiting = queued();
      return waiting === 0 ? undefined : `connection pool: ${waiting} waiting`;
    },

    connectionsInUse() {
      const inUse = ({ pool }: WarmPool) => pool.totalCount - pool.idleCount;
      return inUse(service) + inUse(direct);
    },
  };
}

/** Signs the tokens of the clients; any key will do. */
const KEY = "the key of a service that is verified";

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

/** Issues each token once. */
function issuer(tokens: Tokens): TokenOf {
  const issued = new Map<string, Promise<string>>();
  return async (text) => {
    const actor = parseActor(text);
    if (actor === undefined) return undefined;
    const token = issued.get(text) ?? tokens.issue(actor);
    issued.set(text, token);
    return token;
  };
}

/** What the gateway knows of the payments of a state. */
function ledgerOf({ payments }: BookingState): LedgerEntry[] {
  return payments.map(({ intent, booking, status }) => ({
    intent,
    bookingId: String(booking),
    status: status === "declined" ? "declined" : "captured",
    card: "ok",
    refunds: status === "refunded" ? 1 : 0,
  }));
}

/** Listens on a socket in `folder`, or, where there are none, on loopback; and connects to it. */
async function listen(server: FastifyInstance, folder: string): Promise<HttpPool> {
  server.server.keepAliveTimeout = 0; // Never: an idle connection stays open.
  const options = { connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 };
  if (process.platform === "win32") {
    return new HttpPool(await server.listen({ host: "127.0.0.1", port: 0 }), options);
  }
  const socketPath = join(folder, "booking.sock");
  await server.listen({ path: socketPath });
  return new HttpPool("http://booking", { ...options, connect: { socketPath } });
}

/** Opens every connection, by as many requests at once, for a path that there is not. */
async function warmUp(http: HttpPool): Promise<void> {
  const requests = Array.from({ length: CONNECTIONS }, async () => {
    const { body } = await http.request({ path: "/", method: "GET" });
    await body.dump();
  });
  await Promise.all(requests);
}

/** What the service would call a refusal; undefined for what only a service could make good. */
function codeOf(error: DatabaseError): string | undefined {
  const { code } = errorFromPostgres(error);
  const refusal = code !== "INTERNAL_ERROR" && code !== "DATABASE_UNAVAILABLE";
  return refusal && !isTransient(error) ? code : undefined;
}
