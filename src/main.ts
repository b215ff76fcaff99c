/**
 * Runs the service: `DATABASE_URL` (required), `PORT` (3000) and `HOST` (127.0.0.1) say where,
 * `GATEWAY_URL` where customers pay. Tokens are signed with `TOKEN_KEY` (required); an address may
 * send `REQUESTS_PER_MINUTE` (300). Once a minute the service ends the holds that have run out, and
 * gives back what has to be. It ends cleanly on SIGTERM and SIGINT.
 *
 * `main.ts migrate` brings the database's schema up to date instead, and `main.ts token vendor:7`
 * prints a token by which its bearer is that vendor (or customer, or system). Exits with 2 and one
 * sentence when it cannot do what it is asked.
 */
import { Pool } from "pg";
import { parseActor, tokensWith } from "./authentication.ts";
import { errorFromPostgres } from "./errors.ts";
import { httpGateway, noGateway } from "./gateway.ts";
import { migrate } from "./migrate.ts";
import { buildServer } from "./server.ts";
import { postgresStore } from "./store.ts";
import { sweepEvery } from "./sweep.ts";

const { DATABASE_URL, GATEWAY_URL, TOKEN_KEY = "" } = process.env;
const { PORT = "3000", HOST = "127.0.0.1", REQUESTS_PER_MINUTE = "300" } = process.env;
const [command, argument = ""] = process.argv.slice(2);
const SWEEP_MS = 60_000;

try {
  if (command === "token") await printToken(argument);
  else if (!DATABASE_URL)
    throw new Error("Set DATABASE_URL, such as postgres://user@localhost/bookings.");
  else if (command === "migrate") await migrate(DATABASE_URL);
  else await serve(DATABASE_URL);
} catch (error) {
  console.error(reason(error));
  process.exitCode = 2;
}

async function printToken(text: string): Promise<void> {
  const actor = parseActor(text);
  if (actor === undefined) throw new Error("Say for whom: customer:ID, vendor:ID or system:NAME.");
  console.log(await tokensWith(TOKEN_KEY).issue(actor));
}

async function serve(connectionString: string): Promise<void> {
  const tokens = tokensWith(TOKEN_KEY);
  const pool = new Pool({ connectionString, connectionTimeoutMillis: 5_000 });
  const store = postgresStore(pool);
  const client = GATEWAY_URL === undefined ? undefined : httpGateway(GATEWAY_URL);
  const gateway = client ?? noGateway;
  const server = buildServer({
    store,
    tokens,
    gateway,
    requestsPerMinute: Number(REQUESTS_PER_MINUTE),
    logger: { level: "warn" },
  });
  const stopSweeping = sweepEvery(SWEEP_MS, store, gateway, (error) => server.log.error(error));
  server.addHook("onClose", async () => {
    await stopSweeping();
    await client?.close();
    await pool.end();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // A second signal finds no listener, and ends the process at once.
    process.once(signal, () => void server.close());
  }
  try {
    await store.ping();
    console.log(`Listening on ${await server.listen({ port: Number(PORT), host: HOST })}`);
  } catch (error) {
    await server.close();
    throw error;
  }
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
