import { Client, DatabaseError, Pool } from "pg";
import {
  type ClientQuery,
  type Identify,
  type Json,
  type JsonObject,
  type OutsideService,
  type Snapshot,
  type StartedService,
  type StartService,
  TestClock,
} from "../../harness/index.ts";
import { parseActor, type Tokens, tokensWith } from "../../src/authentication.ts";
import { errorFromPostgres, isTransient } from "../../src/errors.ts";
import { httpGateway } from "../../src/gateway.ts";
import { buildServer } from "../../src/server.ts";
import { type LedgerEntry, startSimulatedGateway } from "../../src/simulated-gateway.ts";
import { postgresStore } from "../../src/store.ts";
import { BOOKINGS, DECLINED_ATTEMPT, intentOf, senderOf } from "./calendar.ts";
import { mutantNamed } from "./mutants/index.ts";

/** Enough for every client of a scenario to be in the database at once. */
const CONNECTIONS = 8;

const tokens = tokensWith("the key of a service that is verified");

const issued = new Map<string, Promise<string>>();

/** The token of an operation's sender, one for each actor. */
export const identities: Identify = async (as, { values }) => {
  const sender = senderOf(as, values);
  const actor = parseActor(sender);
  if (actor === undefined) return {};
  const token = issued.get(sender) ?? tokens.issue(actor);
  issued.set(sender, token);
  return { authorization: `Bearer ${await token}` };
};

/**
 * Starts the service on one port, with a seeded bug if `mutant` names one. The timeouts of src/settings.ts
 * are off: the server's clock for locks and statements also runs while a statement is held at a gate, and a
 * request waits for its statements.
 */
export async function startBooking(
  { databaseUrl, databaseStream, mutant: name, outsideUrl = "" }: Parameters<StartService>[0],
  connections?: number,
): Promise<StartedService> {
  const mutant = name === undefined ? undefined : mutantNamed(name);
  const size = connections ?? mutant?.connections ?? CONNECTIONS;
  const stream = databaseStream && { stream: databaseStream };
  const { pool, warm, close } = await openPool(
    new Pool({ connectionString: databaseUrl, ...stream, max: size, idleTimeoutMillis: 0 }),
    size,
  );
  const gateway = httpGateway(outsideUrl);
  const store = postgresStore(pool);
  const server = buildServer({
    tokens: readOnce(tokens),
    store: mutant?.store?.(store, pool) ?? store,
    gateway: mutant?.gateway?.(gateway, outsideUrl) ?? gateway,
  });
  server.server.keepAliveTimeout = 0; // Idle connections stay open.
  await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url: server.listeningOrigin,
    pools: [pool],
    warm,
    async stop() {
      await server.close();
      await gateway.close();
      await close();
    },
  };
}

/** Verifies each token once, since the verification runs on other threads, and would add a race. */
function readOnce({ issue, read }: Tokens): Tokens {
  const known = new Map<string, ReturnType<Tokens["read"]>>();
  return {
    issue,
    read(token) {
      const actor = known.get(token) ?? read(token);
      known.set(token, actor);
      return actor;
    },
  };
}

/** Opens all connections of a pool. `close` ends those too that were never released. */
export async function openPool(pool: Pool, size: number) {
  const living = new Set<Client>();
  // The query on a connection that dies rejects. The error of an idle connection can be ignored.
  pool.on("error", ignore);
  pool.on("connect", (client) => {
    if (!(client instanceof Client)) return;
    living.add(client);
    client.on("error", ignore);
    client.once("end", () => living.delete(client));
  });
  const warm = async () => {
    const opened = await Promise.allSettled(Array.from({ length: size }, () => pool.connect()));
    for (const one of opened) if (one.status === "fulfilled") one.value.release();
    const failed = opened.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
  const close = async () => {
    // Not awaited: it would wait for ever for connections that are never released.
    pool.end().catch(ignore);
    await Promise.all([...living].map((client) => client.end()));
  };
  try {
    await warm();
  } catch (error) {
    await close();
    throw error;
  }
  return { pool, warm, close };
}

function ignore(): void {}

/** The payment gateway, as the service's clients have paid there. */
export interface Gateway extends OutsideService {
  ledger(): readonly LedgerEntry[];
}

/** More bookings than a scenario makes. */
const MOST_BOOKINGS = BOOKINGS.length + 20;

/** Starts a gateway at which every booking was paid at once, in each attempt. */
export async function startGateway(): Promise<Gateway> {
  const { url, ledger, reset, settle, close } = await startSimulatedGateway();
  return {
    url,
    ledger,
    begin(rows: Snapshot) {
      reset((rows["public.payments"] ?? []).map(entryOf));
      for (let id = 1; id <= MOST_BOOKINGS; id++) {
        for (const attempt of [1, 2, DECLINED_ATTEMPT]) {
          settle(intentOf(id, attempt), String(id), attempt !== DECLINED_ATTEMPT);
        }
      }
    },
    stop: close,
  };
}

function entryOf({ intent, booking_id, status }: JsonObject): LedgerEntry {
  return {
    intent: String(intent),
    bookingId: String(booking_id),
    status: status === "declined" ? "declined" : "captured",
    card: "ok",
    refunds: status === "refunded" ? 1 : 0,
  };
}

/** The maximum number of attempts of a call. */
const ATTEMPTS = 5;

/**
 * Calls a database function, and returns its row as the service's answers have it. Serialization failures
 * are retried, as every client has to do above READ COMMITTED. Deadlocks are not: the functions must not
 * cause any. A refusal has the service's code.
 */
export async function directly(
  query: ClientQuery,
  thing: string,
  sql: string,
  values: readonly unknown[],
): Promise<JsonObject> {
  for (let attempt = 1; ; attempt++) {
    try {
      const [row = {}] = await query(sql, values);
      const camelCase = (name: string) =>
        name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
      const entries = Object.entries(row).map(([name, value]) => [camelCase(name), value]);
      return withoutTimes({ [thing]: Object.fromEntries(entries) });
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (error.code === "40001" && attempt < ATTEMPTS) continue;
      const { code, status } = errorFromPostgres(error);
      if (status < 500 && !isTransient(error)) error.code = code;
      throw error;
    }
  }
}

/** An answer without the times of the clock, which `elapse` may move meanwhile. */
export function withoutTimes(body: Json): JsonObject {
  const times = ["createdAt", "updatedAt", "holdExpiresAt"];
  return JSON.parse(
    JSON.stringify(body, (key, value) => (times.includes(key) ? undefined : value)),
  );
}

/** How far `elapse` moves the clock: 50 years, in ms. */
const ELAPSED_MS = 50 * 365 * 24 * 3_600_000;

export async function elapse(query: ClientQuery): Promise<void> {
  await query(TestClock.SHIFT, [ELAPSED_MS]);
}
