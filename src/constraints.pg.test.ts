import { describe, expect, test } from "vitest";
import { row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();

/** Inserts a booking without the claim function; by default with the slot's provider and times. */
function insert(slot: string, given: Record<string, unknown> = {}) {
  const values = { customer_id: "c", customer_name: "C", status: "confirmed", ...given };
  const columns = Object.keys(values);
  return row(
    database.pool,
    `insert into bookings (slot_id, provider_id, start_at, end_at, ${columns.join(", ")})
     select id, provider_id, start_at, end_at, ${columns.map((_, i) => `$${i + 2}`).join(", ")}
       from availability_slots where id = $1`,
    [slot, ...Object.values(values)],
  );
}

const overlap = { code: "23P01", constraint: "bookings_no_overlap_provider_time" };
const sameStart = { code: "23505", constraint: "idx_bookings_provider_time_unique" };

describe("active bookings of one provider", () => {
  test.each(["pending", "confirmed"])("do not overlap (%s)", async (status) => {
    await insert(await database.slot(0, 2), { status });
    const overlapping = await database.slot(1, 3);

    await expect(insert(overlapping)).rejects.toMatchObject(overlap);
  });

  test("do not contain one another", async () => {
    await insert(await database.slot(0, 4));
    const within = await database.slot(1, 2);

    await expect(insert(within)).rejects.toMatchObject(overlap);
  });

  test("do not begin together", async () => {
    await insert(await database.slot(0, 1));
    const longer = await database.slot(0, 2);

    await expect(insert(longer)).rejects.toMatchObject(sameStart);
  });

  test("do not share a slot: the unique index refuses it first", async () => {
    const slot = await database.slot(0);
    await insert(slot);

    await expect(insert(slot)).rejects.toMatchObject(sameStart);
  });

  test("may be adjacent, may be of different providers, and may follow inactive ones", async () => {
    await insert(await database.slot(0));
    await insert(await database.slot(1));
    await insert(await database.slot(0, 1, "2"));
    for (const status of ["cancelled", "completed", "expired"]) {
      await insert(await database.slot(0), { status });
    }

    expect(await row(database.pool, "select count(*) from bookings")).toEqual({ count: "6" });
  });
});

test("an idempotency key is unique per customer", async () => {
  await insert(await database.slot(0), { idempotency_key: "k" });
  const other = await database.slot(1);

  await expect(insert(other, { idempotency_key: "k" })).rejects.toMatchObject({
    code: "23505",
    constraint: "idx_bookings_idempotency_key",
  });
  await insert(other, { idempotency_key: "k", customer_id: "d" });
});

test.each([
  ["bookings_status_known", "23514", "status = 'lost'"],
  ["bookings_created_by_known", "23514", "created_by = 'admin'"],
  ["bookings_slot_fkey", "23503", "slot_id = 99"],
  ["bookings_slot_fkey", "23503", "provider_id = 2"],
  ["bookings_slot_fkey", "23503", "start_at = start_at + interval '1 minute'"],
  ["bookings_slot_fkey", "23503", "end_at = end_at - interval '1 minute'"],
])("%s (%s) refuses a booking with %s", async (constraint, code, change) => {
  await insert(await database.slot(0));

  await expect(row(database.pool, `update bookings set ${change}`)).rejects.toMatchObject({
    code,
    constraint,
  });
});

test.each([
  ["availability_slots_provider_fkey", "23503", "provider_id = 99"],
  ["availability_slots_time_order", "23514", "end_at = start_at"],
  ["availability_slots_time_order", "23514", "end_at = start_at - interval '1 hour'"],
  ["availability_slots_withdrawn_is_unavailable", "23514", "withdrawn_at = now()"],
])("%s (%s) refuses a slot with %s", async (constraint, code, change) => {
  await database.slot(0);

  await expect(row(database.pool, `update availability_slots set ${change}`)).rejects.toMatchObject(
    { code, constraint },
  );
});

test("a provider has at most one slot with the same times", async () => {
  await database.slot(0);

  await expect(
    row(
      database.pool,
      `insert into availability_slots (provider_id, start_at, end_at)
       select provider_id, start_at, end_at from availability_slots`,
    ),
  ).rejects.toMatchObject({
    code: "23505",
    constraint: "idx_availability_slots_provider_time_lookup",
  });
});

test.each([
  ["providers", "providers_pkey"],
  ["availability_slots", "availability_slots_pkey"],
  ["bookings", "bookings_pkey"],
])("an id of %s is unique (%s)", async (table, constraint) => {
  await insert(await database.slot(0), { status: "cancelled" });
  const copy: Record<string, string> = {
    providers: "insert into providers (id, name) overriding system value values (1, 'Twin')",
    availability_slots: `
      insert into availability_slots (id, provider_id, start_at, end_at) overriding system value
      select id, provider_id, start_at + interval '9 hours', end_at + interval '9 hours'
        from availability_slots`,
    bookings: `
      insert into bookings (id, slot_id, provider_id, customer_id, customer_name, start_at, end_at, status)
      overriding system value
      select id, slot_id, provider_id, customer_id, customer_name, start_at, end_at, status
        from bookings`,
  };

  await expect(row(database.pool, String(copy[table]))).rejects.toMatchObject({
    code: "23505",
    constraint,
  });
});

/** Inserts a confirmed booking and its payment. */
async function paid(): Promise<void> {
  await insert(await database.slot(0));
  await row(
    database.pool,
    "insert into payments (intent, booking_id, status) select 'pi', id, 'captured' from bookings",
  );
}

test.each([
  ["payments_booking_fkey", "23503", "booking_id = 99"],
  ["payments_status_known", "23514", "status = 'lost'"],
])("%s (%s) refuses a payment with %s", async (constraint, code, change) => {
  await paid();

  await expect(row(database.pool, `update payments set ${change}`)).rejects.toMatchObject({
    code,
    constraint,
  });
});

test.each([
  ["payments_pkey", "intent, one payment", "'pi'", "'declined'"],
  ["idx_payments_booking_captured", "booking, one captured payment", "'other'", "'captured'"],
])("%s: one %s", async (constraint, _, intent, status) => {
  await paid();

  await expect(
    row(
      database.pool,
      `insert into payments (intent, booking_id, status) select ${intent}, id, ${status} from bookings`,
    ),
  ).rejects.toMatchObject({ code: "23505", constraint });
});

test("a booked slot cannot be deleted", async () => {
  await insert(await database.slot(0), { status: "cancelled" });

  await expect(row(database.pool, "delete from availability_slots")).rejects.toMatchObject({
    constraint: "bookings_slot_fkey",
  });
});
