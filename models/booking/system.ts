import { randomUUID } from "node:crypto";
import { platform } from "node:os";
import { join } from "node:path";
import { Client, type DatabaseError } from "pg";
import { Pool as HttpPool } from "undici";
import { type Response, type System, type SystemContext, TestClock } from "../../harness/index.ts";
import { parseActor } from "../../src/authentication.ts";
import { errorFromPostgres, isTransient } from "../../src/errors.ts";
import { migrate } from "../../src/migrate.ts";
import { type LedgerEntry, startSimulatedGateway } from "../../src/simulated-gateway.ts";
import { runStatement } from "../../src/statement.ts";
import { contents, observe, openReset } from "./database.ts";
import { type FunctionQuery, performByFunction } from "./functions.ts";
import { type HttpOperation, performOverHttp, type TokenOf } from "./http.ts";
import type { BookingMutant } from "./mutants/mutant.ts";
import { type BookingOperation, References } from "./operations.ts";
import { NOTHING_TO_SEND, refused } from "./responses.ts";
import { ConnectionOwners, openPool, startService, tokens } from "./service.ts";
import { ServiceProcess } from "./service-apart.ts";
import { type BookingState, DECLINED_ATTEMPT, intentOf } from "./state.ts";

/** Enough for every client of a scenario to be in the database at once. */
const CONNECTIONS = 8;

export interface BookingOptions {
  /** The size of the service's pool. */
  readonly connections: number;
}

/** Applies the migrations, with a settable clock, and a seeded bug's changes to an empty database. */
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
 * Starts the booking service on a socket of its own, HTTP clients, and clients that call the database
 * functions directly. All connections are opened at the start, so that connecting is no part of an
 * execution. The service runs in this process or, if the context is `killable`, in another one.
 */
export async function startBooking(
  context: SystemContext,
  mutant?: BookingMutant,
  { connections }: BookingOptions = { connections: mutant?.connections ?? CONNECTIONS },
): Promise<System<BookingState, BookingOperation>> {
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

/** Opens the system. Adds to `opened` a function for each resource that closes it. */
async function open(
  context: SystemContext,
  mutant: BookingMutant | undefined,
  connections: number,
  opened: (() => Promise<unknown>)[],
): Promise<Omit<System<BookingState, BookingOperation>, "stop">> {
  let ungated = await openUngated(context);
  opened.push(() => ungated.close());
  const direct = await openPool(context, CONNECTIONS);
  opened.push(() => direct.close());
  const simulated = await startSimulatedGateway();
  opened.push(() => simulated.close());

  const options = {
    database: context.killable ? { gatedUrl: await context.urlFor() } : context,
    connections,
    gatewayUrl: simulated.url,
    socket:
      platform() === "win32" ? `\\\\.\\pipe\\${randomUUID()}` : join(context.folder, "booking"),
  };
  const requesters = connections < CONNECTIONS ? new ConnectionOwners() : undefined;
  const apart = context.killable ? new ServiceProcess(options, mutant?.name) : undefined;
  opened.push(async () => apart?.close());
  await apart?.start();
  const here = apart ? undefined : await startService(options, mutant, requesters);
  opened.push(async () => here?.close());
  const http = clientsOf(options.socket);
  opened.push(() => http.destroy());
  await warmUp(http);

  const queued = () => (here?.pool.waitingCount ?? 0) + direct.pool.waitingCount;
  const callDirectly: FunctionQuery = (sql, values) => runStatement(direct.pool, sql, values);
  let elapsed = false;
  let references = new References({ providers: [], slots: [], bookings: [], payments: [] });
  /** Requests that the service has not answered yet. */
  const unanswered = new Set<Promise<Response>>();
  const ask = (request: HttpOperation, client: number): Promise<Response> => {
    const answer = performOverHttp(requesters?.sender(http, client) ?? http, request, tokenOf);
    unanswered.add(answer);
    return answer.finally(() => unanswered.delete(answer));
  };
  return {
    async reset(initial) {
      references = new References(initial);
      simulated.reset(ledgerOf(initial));
      if (elapsed) await ungated.clock.shift(0);
      elapsed = false;
      await ungated.reset(initial);
    },

    async perform(operation, client, patience) {
      const request = references.resolve(operation, client);
      if (typeof request === "string") return refused(NOTHING_TO_SEND[request]);
      elapsed ||= request.name === "elapse";
      if (request.name === "confirm" || request.name === "webhook") {
        const { booking, attempt } = request;
        const intent = intentOf(booking, attempt);
        simulated.settle(intent, String(booking), attempt !== DECLINED_ATTEMPT);
      }
      const response =
        request.via === "http"
          ? await ask(request, client)
          : await performByFunction(callDirectly, request, codeOf);
      if (!patience?.aborted) references.learn(client, request, response);
      return response;
    },

    observe() {
      const refunds = new Map(simulated.ledger().map((entry) => [entry.intent, entry.refunds]));
      return observe(ungated.database, (intent) => refunds.get(intent) ?? 0);
    },
    contents: () => contents(ungated.database),

    async warm() {
      await (apart ?? here)?.warm();
      await direct.warm();
    },

    async recover() {
      ungated = await openUngated(context);
    },

    ...(apart && {
      async kill() {
        await apart.kill();
        await Promise.all(unanswered);
        await apart.start();
        await warmUp(http);
      },
    }),

    queued,
    ...(requesters && { ownerOf: (pid: number) => requesters.ownerOf(pid) }),

    waitsFor() {
      const waiting = queued();
      return waiting === 0 ? undefined : `connection pool: ${waiting} waiting`;
    },

    connectionsInUse() {
      const pools = [direct.pool, ...(here ? [here.pool] : [])];
      return pools.reduce((sum, { totalCount, idleCount }) => sum + totalCount - idleCount, 0);
    },
  };
}

/** Opens the sessions beside the gates, which set and read the state and set the clock. */
async function openUngated({ directUrl }: SystemContext) {
  const database = new Client({ connectionString: directUrl });
  database.on("error", () => {}); // The next query rejects.
  await database.connect();
  const clock = await TestClock.open(directUrl);
  const close = async () => {
    await clock.close();
    await database.end();
  };
  return { database, clock, reset: await openReset(database), close };
}

const issued = new Map<string, Promise<string>>();

/** Issues one token per actor. */
const tokenOf: TokenOf = async (text) => {
  const actor = parseActor(text);
  if (actor === undefined) return undefined;
  const token = issued.get(text) ?? tokens.issue(actor);
  issued.set(text, token);
  return token;
};

/** The gateway's ledger for the payments of a state. */
function ledgerOf({ payments }: BookingState): LedgerEntry[] {
  return payments.map(({ intent, booking, status }) => ({
    intent,
    bookingId: String(booking),
    status: status === "declined" ? "declined" : "captured",
    card: "ok",
    refunds: status === "refunded" ? 1 : 0,
  }));
}

/** The pool of the HTTP clients' connections. */
function clientsOf(socketPath: string): HttpPool {
  const options = { connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 };
  return new HttpPool("http://booking", { ...options, connect: { socketPath } });
}

/** Opens every connection, by that many concurrent requests for an unknown path. */
async function warmUp(http: HttpPool): Promise<void> {
  const requests = Array.from({ length: CONNECTIONS }, async () => {
    const { body } = await http.request({ path: "/", method: "GET" });
    await body.dump();
  });
  await Promise.all(requests);
}

/** The service's code for a refusal; undefined for outages, internal errors and transient errors. */
function codeOf(error: DatabaseError): string | undefined {
  const { code, status } = errorFromPostgres(error);
  return status < 500 && !isTransient(error) ? code : undefined;
}
