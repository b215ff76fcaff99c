import { randomBytes } from "node:crypto";
import { faker } from "@faker-js/faker/locale/en";
import { Pool } from "pg";
import { HarnessError, startServer } from "../../harness/index.ts";
import { tokensWith } from "../../src/authentication.ts";
import { httpGateway } from "../../src/gateway.ts";
import { migrate } from "../../src/migrate.ts";
import { buildServer, closeServer } from "../../src/server.ts";
import { startSimulatedGateway } from "../../src/simulated-gateway.ts";
import { postgresStore } from "../../src/store.ts";
import { sweepEvery } from "../../src/sweep.ts";
import { mutantNamed } from "./mutants/index.ts";

/**
 * Starts the booking service on its own Postgres, with demo data: `npm start`. The environment variable
 * MUTANT names a seeded bug, to see what an attack finds.
 */

const USAGE_OR_ENVIRONMENT = 2;
const INTERRUPTED = 130;
const SWEEP_MS = 5_000;
/** How long requests may take to finish at the end. */
const DRAIN_MS = 2_000;
/** The demo data: this many vendors, with slots at these hours of the coming days. */
const VENDORS = 3;
const DAYS = 14;
const HOURS = [9, 10, 11, 13, 14, 15, 16];

const opened: (() => Promise<unknown>)[] = [];

try {
  const stopped = stopSignal();
  const port = portFrom(process.env["PORT"] ?? "3000");

  const postgres = await startServer("embedded");
  opened.push(() => postgres.stop());
  const { url } = await postgres.lease();
  const { MUTANT } = process.env;
  const mutant = MUTANT === undefined ? undefined : mutantNamed(MUTANT);
  await migrate(url);

  const pool = new Pool({ connectionString: url });
  opened.push(() => pool.end());
  if (mutant?.sql !== undefined) await pool.query(mutant.sql);
  const baseline = postgresStore(pool);
  const store = mutant?.store?.(baseline, pool) ?? baseline;
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
  opened.push(() => closeServer(server, DRAIN_MS));
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

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. The second one ends the process at once. */
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

The same over HTTP. Sent twice, the second create is refused:
  curl ${url}/api/vendors/${vendor?.id}/slots
  curl -H 'content-type: application/json' ${url}/api/bookings/create \\
    -H 'authorization: Bearer ${token}' \\
    -d '${booking}'

Several customers at once, for one slot each time:
  npx heddle attack sc1 --target-url ${url} \\
    --database-url '${databaseUrl}'

Ctrl-C stops the service and deletes its data.
`;
}

/** A vendor with the times of its first free slot. */
export interface Vendor {
  readonly id: string;
  readonly name: string;
  readonly freeSlots: number;
  readonly startAt: Date;
  readonly endAt: Date;
}

/** Inserts vendors, the slots of the coming two weeks, and bookings. Names are the same in every run. */
async function fillWithDemoData(pool: Pool): Promise<Vendor[]> {
  faker.seed(1);
  const names = Array.from({ length: VENDORS }, () => faker.company.name());
  await pool.query("insert into providers (name) select unnest($1::text[])", [names]);
  await pool.query(
    `select publish_slot(p.id, day + hour * interval '1 hour', day + (hour + 1) * interval '1 hour')
       from providers p,
            generate_series(current_date + 1, current_date + $1::integer, interval '1 day') day,
            unnest($2::integer[]) hour
      where extract(isodow from day) < 6
      order by p.id, day, hour`,
    [DAYS, HOURS],
  );
  const slots = await pool.query<{ id: string; provider_id: string }>(
    "select id, provider_id from availability_slots order by id",
  );
  for (const { id, provider_id } of faker.helpers.arrayElements(slots.rows, { min: 40, max: 40 })) {
    await pool.query(
      "select claim_slot_and_create_booking($1, $2, $3, $4, $5, p_created_by => 'vendor')",
      [id, provider_id, faker.string.uuid(), faker.person.fullName(), faker.company.catchPhrase()],
    );
  }
  const vendors = await pool.query<Vendor>(
    `select distinct on (p.id) p.id, p.name, s.start_at as "startAt", s.end_at as "endAt",
            count(*) over (partition by p.id)::integer as "freeSlots"
       from providers p
       join availability_slots s on s.provider_id = p.id and s.is_available
      order by p.id, s.start_at`,
  );
  return vendors.rows;
}
