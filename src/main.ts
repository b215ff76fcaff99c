/**
 * Runs the service. The environment has its settings (see settings.ts): `DATABASE_URL` and `TOKEN_KEY`,
 * which signs the tokens, are required. Once a minute the service expires holds and settles refunds. On
 * SIGTERM and SIGINT it finishes the requests under way and ends within its grace period.
 *
 * `main.ts migrate` applies the migrations instead. `main.ts token vendor:7` prints a token of that
 * vendor (or customer, or system). Exits with 2 and one sentence if it cannot start.
 */
import type { FastifyInstance } from "fastify";
import { Pool } from "pg";
import { parseActor, tokensWith } from "./authentication.ts";
import { errorFromPostgres } from "./errors.ts";
import { httpGateway, noGateway } from "./gateway.ts";
import { migrate } from "./migrate.ts";
import { buildServer, closeServer } from "./server.ts";
import { databaseUrlFrom, type ServiceSettings, settingsFrom } from "./settings.ts";
import { postgresStore } from "./store.ts";
import { sweepEvery } from "./sweep.ts";

const { TOKEN_KEY = "", PORT } = process.env;
const [command, argument = ""] = process.argv.slice(2);
const SWEEP_MS = 60_000;
/** How long a request may wait for a connection of the pool. */
const CONNECTION_TIMEOUT_MS = 5_000;

try {
  if (command === "token") await printToken(argument);
  else if (command === "migrate") await migrate(databaseUrlFrom(process.env));
  else await serve(settingsFrom(process.env));
} catch (error) {
  console.error(reason(error));
  process.exitCode = 2;
}

async function printToken(text: string): Promise<void> {
  const actor = parseActor(text);
  if (actor === undefined) throw new Error("Say for whom: customer:ID, vendor:ID or system:NAME.");
  console.log(await tokensWith(TOKEN_KEY).issue(actor));
}

async function serve(settings: ServiceSettings): Promise<void> {
  const tokens = tokensWith(TOKEN_KEY);
  const pool = openPool(settings);
  // Health checks have a connection of their own, since requests can keep the pool busy.
  const healthPool = openPool(settings, 1);
  const store = postgresStore(pool, healthPool);
  const { gatewayUrl, requestsPerMinute, requestTimeoutMs } = settings;
  const client = gatewayUrl === undefined ? undefined : httpGateway(gatewayUrl);
  const gateway = client ?? noGateway;
  const server = buildServer({
    store,
    tokens,
    gateway,
    requestsPerMinute,
    requestTimeoutMs,
    logger: { level: "warn" },
  });
  const stopSweeping = sweepEvery(SWEEP_MS, store, gateway, (error) => server.log.error(error));
  server.addHook("onClose", async () => {
    await stopSweeping();
    await client?.close();
    await pool.end();
    await healthPool.end();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // A second signal finds no listener, and ends the process at once.
    process.once(signal, () => void end(server, settings.gracePeriodMs));
  }
  try {
    await store.ping();
    const { port, host } = settings;
    console.log(`Listening on ${await server.listen({ port, host })}`);
  } catch (error) {
    await server.close();
    throw error;
  }
}

function openPool({ databaseUrl, ...settings }: ServiceSettings, max = 10): Pool {
  const { lockTimeoutMs, statementTimeoutMs } = settings;
  return new Pool({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    max,
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // The client's own timeout, in case the server cannot be reached any more.
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 1_000 }),
  });
}

/**
 * Ends the service. Requests have half of the grace period to finish, then their connections are closed.
 * At the end of the period the process exits with 1 if a statement still runs.
 */
async function end(server: FastifyInstance, gracePeriodMs: number): Promise<void> {
  const exit = setTimeout(() => {
    console.error(`The service did not end within ${gracePeriodMs} ms.`);
    process.exit(1);
  }, gracePeriodMs);
  await closeServer(server, gracePeriodMs / 2);
  clearTimeout(exit);
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return `Port ${PORT} is in use: set PORT to another one.`;
  if (code === "42P01") return "The database has no booking schema: run main.ts migrate first.";
  const unreachable = errorFromPostgres(error).code === "DATABASE_UNAVAILABLE";
  return unreachable
    ? `The database at DATABASE_URL cannot be reached: ${message || code}`
    : message;
}
