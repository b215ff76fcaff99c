import { Client } from "pg";
import { type AuditOptions, audit } from "../harness/audit/audit.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { migrate } from "../src/migrate.ts";
import type { BenchComparison, Benchmark } from "./benchmark.ts";

const SIZES = [10_000, 100_000, 1_000_000] as const;
const ROUNDS = 3;
const OPTIONS: AuditOptions = {
  ...{ details: false, statementTimeoutMs: 600_000, rows: 10 },
  functions: ["verify_booking_slot_consistency", "verify_payment_consistency"],
};

/**
 * Creates SIZE bookings of one hour in the calendars of 100 providers. Every fourth booking is
 * cancelled; of the others, every third was made and paid by a customer. The triggers and foreign
 * keys are off while the rows are written: the audit does not read them, and they would take most
 * of the time.
 */
const FILL = `
  set session_replication_role = replica;
  insert into providers (name) select 'Provider ' || i from generate_series(1, 100) i;
  insert into availability_slots (provider_id, start_at, end_at, is_available)
  select 1 + i % 100, '2030-01-01'::timestamptz + i / 100 * interval '1 hour',
         '2030-01-01'::timestamptz + (i / 100 + 1) * interval '1 hour', i % 4 = 0
    from generate_series(1, SIZE) i;
  insert into bookings
    (slot_id, provider_id, customer_id, customer_name, start_at, end_at, status, created_by)
  select id, provider_id, 'customer-' || id, 'Ada', start_at, end_at,
         case when is_available then 'cancelled' else 'confirmed' end,
         case when id % 3 = 0 then 'customer' else 'vendor' end
    from availability_slots;
  insert into payments (intent, booking_id, status)
  select 'pi_' || id, id, 'captured' from bookings
   where status = 'confirmed' and created_by = 'customer';
  reset session_replication_role`;

/** How the time of an audit grows with the number of bookings: 10,000 against 1,000,000. */
export async function auditBenchmark(): Promise<Benchmark> {
  const server = await startServer("embedded");
  try {
    const perBooking: number[] = [];
    const times: string[] = [];
    for (const size of SIZES) {
      const { url, drop } = await server.lease();
      await migrate(url);
      await fill(url, size);
      const ms = await fastest(url);
      perBooking.push((ms * 1_000) / size);
      times.push(`${size.toLocaleString("en-US")} bookings in ${Math.round(ms)} ms`);
      await drop();
    }
    const [small = Number.NaN, middle = Number.NaN, large = Number.NaN] = perBooking;
    const against = (name: string, theirs: number): BenchComparison => ({
      ...{ name, ours: small, theirs, ratio: small / theirs },
    });
    return {
      ...against("audit", large),
      unit: "µs per booking",
      compared: `an audit of 10,000 bookings against one of 1,000,000, per booking; the fastest of ${ROUNDS} each: ${times.join(", ")}`,
      cases: [against("100,000", middle), against("1,000,000", large)],
    };
  } finally {
    await server.stop();
  }
}

async function fill(url: string, size: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("alter table bookings drop constraint bookings_no_overlap_provider_time");
  await client.query("drop index idx_availability_slots_provider_time_overlap");
  await client.query(FILL.replace("SIZE", String(size)));
  await client.query("vacuum analyze");
  await client.end();
}

async function fastest(url: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { verdict, elapsedMs, reason } = await audit(url, OPTIONS);
    if (verdict !== "pass")
      throw new Error(`the audit of a consistent database did not pass: ${reason ?? verdict}`);
    times.push(elapsedMs);
  }
  return Math.min(...times);
}
