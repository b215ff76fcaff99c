/**
 * Runs the service: `DATABASE_URL` (required), `PORT` (3000) and `HOST` (127.0.0.1) say where,
 * `GATEWAY_URL` where customers pay. Once a minute it ends the holds that have run out, and gives
 * back what has to be. `main.ts migrate` brings the database's schema up to date instead. Ends
 * cleanly on SIGTERM and SIGINT; exits with 2 and one sentence when it cannot start.
 */
import { Pool } from "pg";
import { errorFromPostgres } from "./errors.ts";
import { httpGateway, noGateway } from "./gateway.ts";
import { migrate } from "./migrate.ts";
import { buildServer } from "./server.ts";
import { postgresStore } from "./store.ts";
import { sweepEvery } from "./sweep.ts";

const { DATABASE_URL, GATEWAY_URL, PORT = "3000", HOST = "127.0.0.1" } = process.env;
const SWEEP_MS = 60_000;

try {
  if (!DATABASE_URL)
    throw new Error("Set DATABASE_URL, such as postgres://user@localhost/bookings.");
  if (process.argv[2] === "migrate") await migrate(DATABASE_URL);
  else await serve(DATABASE_URL);
} catch (error) {
  console.error(reason(error));
  process.exitCode = 2;
}

async function serve(connectionString: string): Promise<void> {
  const pool = new Pool({ connectionString, connectionTimeoutMillis: 5_000 });
  const store = postgresStore(pool);
  const client = GATEWAY_URL === undefined ? undefined : httpGateway(GATEWAY_URL);
  const gateway = client ?? noGateway;
  const server = buildServer({ store, gateway, logger: { level: "warn" } });
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
