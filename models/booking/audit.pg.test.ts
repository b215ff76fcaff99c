import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { audit, type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking } from "./booking.fixture.ts";

let server: Server;
let url: string;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  ({ url } = await server.lease());
  await booking.migrate(url, undefined);
  client = new Client(url);
  await client.connect();
  // Without these constraints the tests can corrupt the calendar.
  await client.query(`
    alter table bookings drop constraint bookings_no_overlap_provider_time;
    drop index idx_bookings_provider_time_unique;
    drop index idx_payments_booking_captured`);
});

afterAll(async () => {
  await client.end();
  await server.stop();
});

/** Slot 1 has booking 1, which is paid; slots 2 and 3 are free, and overlap. */
beforeEach(async () => {
  await client.query(`
    truncate payments, bookings, availability_slots, providers;
    insert into providers (id, name) overriding system value values (1, '');
    insert into availability_slots (id, provider_id, start_at, end_at, is_available)
    overriding system value values
      (1, 1, '2100-01-04 09:00Z', '2100-01-04 10:00Z', false),
      (2, 1, '2100-01-05 09:00Z', '2100-01-05 10:00Z', true),
      (3, 1, '2100-01-05 09:30Z', '2100-01-05 10:30Z', true);
    insert into bookings
      (id, slot_id, provider_id, customer_id, customer_name, start_at, end_at, status)
    overriding system value
    select 1, id, provider_id, 'c', 'C', start_at, end_at, 'confirmed'
      from availability_slots where id = 1;
    insert into payments (intent, booking_id, status) values ('pi_1_1', 1, 'captured')`);
});

const book = (slot: number) => `
  insert into bookings
    (slot_id, provider_id, customer_id, customer_name, start_at, end_at, status, created_by)
  select id, provider_id, 'c', 'C', start_at, end_at, 'confirmed', 'vendor'
    from availability_slots where id = ${slot};
  update availability_slots set is_available = false where id = ${slot};`;

// The role is a superuser, with whose rights only named functions run.
const functions = ["verify_booking_slot_consistency", "verify_payment_consistency"];
const options = { details: false, statementTimeoutMs: 10_000, rows: 10, functions };

test("a consistent calendar passes", async () => {
  const { verdict, checks } = await audit(url, options);
  expect(verdict).toBe("pass");
  expect(new Set(checks.map(({ source }) => source))).toEqual(
    new Set(["verify_booking_slot_consistency", "verify_payment_consistency"]),
  );
});

test.each([
  [
    "a slot that is marked as taken without a booking",
    "update availability_slots set is_available = false where id = 2",
    { unavailable_slot_without_booking: [{ slot_id: 2, provider_id: 1 }] },
  ],
  [
    "a slot with two bookings",
    book(1),
    {
      slot_with_several_bookings: [{ slot_id: 1, provider_id: 1 }],
      overlapping_bookings: [{ slot_id: 1, provider_id: 1 }],
    },
  ],
  [
    "a booking whose slot is marked as available",
    "update availability_slots set is_available = true where id = 1",
    { booking_without_claimed_slot: [{ slot_id: 1, booking_id: 1, provider_id: 1 }] },
  ],
  [
    "overlapping bookings",
    book(2) + book(3),
    { overlapping_bookings: [{ slot_id: 3, provider_id: 1 }] },
  ],
  [
    "a captured payment of a cancelled booking",
    `update bookings set status = 'cancelled' where id = 1;
     update availability_slots set is_available = true where id = 1`,
    { captured_payment_without_booking: [{ booking_id: 1 }] },
  ],
  [
    "a confirmed booking without a payment",
    "update payments set status = 'refund_due'",
    { confirmed_booking_without_payment: [{ booking_id: 1 }] },
  ],
  [
    "a booking with two payments",
    "insert into payments (intent, booking_id, status) values ('again', 1, 'captured')",
    { booking_with_several_payments: [{ booking_id: 1 }] },
  ],
])("%s is reported by its check alone", async (_, corruption, expected) => {
  await client.query(corruption);
  const { verdict, checks } = await audit(url, options);
  expect(verdict).toBe("fail");
  const failed = checks.filter((check) => check.verdict === "fail");
  expect(failed.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const { name, offending } of failed) {
    expect({ [name]: offending }).toMatchObject({
      [name]: (expected as { readonly [name: string]: readonly object[] })[name],
    });
  }
});
