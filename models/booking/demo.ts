/**
 * The booking service on a Postgres of its own, with something to look at: `npm start`. With MUTANT it
 * has that seeded bug, to see what an attack finds.
 */
import { randomBytes } from "node:crypto";
import { Pool } from "pg";
import { HarnessError, startServer } from "../../harness/index.ts";
import { httpGateway } from "../../src/gateway.ts";
import { buildServer } from "../../src/server.ts";
import { startSimulatedGateway } from "../../src/simulated-gateway.ts";
import { postgresStore } from "../../src/store.ts";
import { sweepEvery } from "../../src/sweep.ts";
import { tokensWith } from "../../src/tokens.ts";
import { fillWithDemoData, type Vendor } from "./demo-data.ts";
import { mutantNamed } from "./mutants/index.ts";
import { migrateBooking } from "./system.ts";

const USAGE_OR_ENVIRONMENT = 2;
const INTERRUPTED = 130;
const SWEEP_MS = 5_000;

const opened: (() => Promise<unknown>)[] = [];

try {
  const stopped = stopSignal();
  const port = portFrom(process.env["PORT"] ?? "3000");

  const postgres = await startServer("embedded");
  opened.push(() => postgres.stop());
  const { url } = await postgres.lease();
  const { MUTANT } = process.env;
  const mutant = MUTANT === undefined ? undefined : mutantNamed(MUTANT);
  await migrateBooking(url, mutant);

  const pool = new Pool({ connectionString: url });
  opened.push(() => pool.end());
  const sound = postgresStore(pool);
  const store = mutant?.store?.(sound, pool) ?? sound;
  const vendors = await fillWithDemoData(pool);

  const tokens = tokensWith(randomBytes(32).toString("hex"));
  const simulated = await startSimulatedGateway({
    service: () => server.listeningOrigin,
    webhookToken: await tokens.issue({ role: "system", id: "gateway" }),
  });
  opened.push(() => simulated.close());
  const gateway = httpGateway(simulated.url);
  opened.push(() => gateway.close());
  const server = buildServer({ store, tokens, gateway });
  opened.push(() => server.close());
  await server.listen({ host: "127.0.0.1", port });
  opened.push(sweepEvery(SWEEP_MS, store, gateway, () => {}));

  const token = await tokens.issue({ role: "customer", id: "customer-1" });
  console.log(welcome(server.listeningOrigin, postgres.description, vendors, token, url));
  await stopped;
} catch (error) {
  console.error(`Cannot start: ${explain(error)}`);
  process.exitCode = USAGE_OR_ENVIRONMENT;
} finally {
  for (const close of opened.reverse()) await close();
}

/** Resolves at the first Ctrl-C, or what else asks to stop. The second one does not wait. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(INTERRUPTED);
        asked = true;
        resolve();
      });
    }
  });
}

function portFrom(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new HarnessError("USAGE", `PORT is "${text}"; give a number from 0 (any) to 65535.`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") return `port ${port} is in use. Choose another: PORT=0 npm start.`;
  if (code === "EACCES") return `port ${port} is not allowed. Choose another: PORT=0 npm start.`;
  return error.message;
}

function welcome(
  url: string,
  postgres: string,
  vendors: readonly Vendor[],
  token: string,
  databaseUrl: string,
): string {
  const [vendor] = vendors;
  const booking = JSON.stringify({
    providerId: vendor?.id,
    startAt: vendor?.startAt,
    endAt: vendor?.endAt,
    customerId: "customer-1",
    customerName: "Ada Lovelace",
  });
  return `
The booking service listens on ${url} (${postgres}).

Vendors with free slots, and where to book one:
${vendors.map(({ id, name, freeSlots }) => `  ${url}/book/${id}  ${name}: ${freeSlots}`).join("\n")}

The same for programs; a second time, the slot is taken:
  curl ${url}/api/vendors/${vendor?.id}/slots
  curl -H 'content-type: application/json' ${url}/api/bookings/create \\
    -H 'authorization: Bearer ${token}' \\
    -d '${booking}'

Several customers at once, for one slot each time:
  npx heddle attack sc1 --target-url ${url} \\
    --database-url '${databaseUrl}'

Ctrl-C stops it; nothing is kept.
`;
}
