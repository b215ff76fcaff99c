import { describe, expect, test } from "vitest";
import { claim, pay, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();

const slotRow = (id: string) =>
  row(database.pool, "select is_available, withdrawn_at from availability_slots where id = $1", [
    id,
  ]);

test("a customer's claim takes the slot, and writes all fields of a pending booking", async () => {
  const slot = await database.slot(3, 5);
  const booking = await row(
    database.pool,
    `select *, hold_expires_at - created_at between '9 min' and '11 min' as held
       from claim_slot_and_create_booking($1, 1, 'c1', 'Ada', 'by the window', 'k1', 'pi_1', 'customer', '10 min')`,
    [slot],
  );

  const { start_at, end_at } = await row(database.pool, "select * from availability_slots");
  expect(booking).toMatchObject({
    id: "1",
    slot_id: slot,
    provider_id: "1",
    customer_id: "c1",
    customer_name: "Ada",
    notes: "by the window",
    start_at,
    end_at,
    status: "pending",
    idempotency_key: "k1",
    payment_intent_id: "pi_1",
    created_by: "customer",
    held: true,
  });
  expect(await row(database.pool, "select * from bookings")).toEqual(
    expect.objectContaining({ id: "1", notes: "by the window", payment_intent_id: "pi_1" }),
  );
  expect(await slotRow(slot)).toEqual({ is_available: false, withdrawn_at: null });
});

test("a vendor's claim is confirmed at once, without a hold", async () => {
  const slot = await database.slot(0);

  expect(await claim(database.pool, { slot, by: "vendor" })).toMatchObject({
    status: "confirmed",
    created_by: "vendor",
    hold_expires_at: null,
    idempotency_key: null,
  });
});

describe("a claim is refused", () => {
  test("of a slot that does not exist", async () => {
    await expect(claim(database.pool, { slot: "99" })).rejects.toMatchObject({
      code: "BK001",
      message: "Slot not found",
      hint: "Choose one of the provider's free slots.",
    });
  });

  test.each(["2", null])("of a slot of another provider (%s)", async (provider) => {
    const slot = await database.slot(0);

    await expect(claim(database.pool, { slot, provider })).rejects.toMatchObject({
      code: "BK002",
      message: "Slot provider mismatch",
    });
  });

  test("of a slot in the past", async () => {
    const slot = await database.slot(-100);

    await expect(claim(database.pool, { slot })).rejects.toMatchObject({
      code: "BK003",
      message: "Cannot create booking in the past",
    });
  });

  const taken = {
    code: "BK004",
    message: "Slot is not available",
    hint: "Select a different time.",
  };

  test("of a slot that is booked", async () => {
    const slot = await database.slot(0);
    await claim(database.pool, { slot });

    await expect(claim(database.pool, { slot, customer: "d" })).rejects.toMatchObject(taken);
  });

  test("of a slot that was withdrawn", async () => {
    const slot = await database.slot(0);
    await row(database.pool, "select withdraw_slot($1)", [slot]);

    await expect(claim(database.pool, { slot })).rejects.toMatchObject(taken);
  });

  test("of a slot that overlaps a booked one, which leaves it available", async () => {
    const overlapping = await database.slot(1, 3);
    await claim(database.pool, { slot: await database.slot(0, 2) });

    await expect(claim(database.pool, { slot: overlapping })).rejects.toMatchObject(taken);
    expect(await slotRow(overlapping)).toMatchObject({ is_available: true });
    expect(await database.failures()).toEqual([]);
  });

  test("and changes no row", async () => {
    const slot = await database.slot(0);
    await claim(database.pool, { slot });
    await expect(claim(database.pool, { slot, key: "k" })).rejects.toMatchObject(taken);

    expect(await row(database.pool, "select count(*) from bookings")).toEqual({ count: "1" });
  });
});

test("adjacent slots, and the same time of another provider, do not collide", async () => {
  await claim(database.pool, { slot: await database.slot(1) });

  for (const slot of [
    await database.slot(0),
    await database.slot(2),
    await database.slot(1, 2, "2"),
  ]) {
    await claim(database.pool, { slot, provider: slot === "4" ? "2" : "1" });
  }
  expect(await database.failures()).toEqual([]);
});

describe("an idempotency key", () => {
  test("makes a repeat return the first booking, and change nothing", async () => {
    const slot = await database.slot(0);
    const first = await claim(database.pool, { slot, key: "k" });

    expect(await claim(database.pool, { slot, key: "k" })).toEqual(first);
    expect(await row(database.pool, "select count(*) from bookings")).toEqual({ count: "1" });
  });

  test("returns the booking in any status", async () => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot, key: "k" });
    await row(database.pool, "select reschedule_booking($1, $2)", [id, await database.slot(5)]);
    expect(await claim(database.pool, { slot, key: "k" })).toMatchObject({ id, slot_id: "2" });

    await row(database.pool, "select cancel_booking($1)", [id]);
    expect(await claim(database.pool, { slot, key: "k" })).toMatchObject({
      id,
      status: "cancelled",
    });
  });

  test("returns the booking after its slot has begun", async () => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot, key: "k" });
    const session = await database.session();
    await session.query("begin");
    await session.query("alter table bookings drop constraint bookings_slot_fkey");
    await session.query(`
      update availability_slots set start_at = start_at - interval '9 days',
                                    end_at = end_at - interval '9 days'`);

    expect(await claim(session, { slot, key: "k" })).toMatchObject({ id });
    await session.query("rollback");
  });

  test("of a refused request can be used again", async () => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot, customer: "other" });
    await expect(claim(database.pool, { slot, key: "k" })).rejects.toMatchObject({ code: "BK004" });
    await row(database.pool, "select cancel_booking($1)", [id]);

    expect(await claim(database.pool, { slot, key: "k" })).toMatchObject({ status: "pending" });
  });

  test("belongs to one customer", async () => {
    const [slot, other] = [await database.slot(0), await database.slot(1)];
    await claim(database.pool, { slot, key: "k" });

    expect(await claim(database.pool, { slot: other, key: "k", customer: "d" })).toMatchObject({
      id: "2",
    });
  });

  test.each([
    ["name", "'Another', null, 'k', null, 'customer'"],
    ["notes", "'Customer', 'notes', 'k', null, 'customer'"],
    ["payment", "'Customer', null, 'k', 'pi_1', 'customer'"],
    ["creator", "'Customer', null, 'k', null, 'vendor'"],
  ])("cannot be used for a request with another %s", async (_, content) => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot, key: "k" });
    const other = `select * from claim_slot_and_create_booking(${slot}, 1, 'c', ${content})`;

    await expect(row(database.pool, other)).rejects.toMatchObject({ code: "BK008" });
    expect(await claim(database.pool, { slot, key: "k" })).toMatchObject({ id });
  });

  test("returns the booking when its payment is another one than requested", async () => {
    const slot = await database.slot(0);
    const create = `select * from claim_slot_and_create_booking(
      ${slot}, 1, 'c', 'Customer', null, 'k', 'pi_requested')`;
    const { id } = await row(database.pool, create);
    await pay(database.pool, id, true, "pi_other");

    expect(await row(database.pool, create)).toMatchObject({ id, payment_intent_id: "pi_other" });
  });

  test("cannot be used for another slot, nor for another provider", async () => {
    const [slot, other] = [await database.slot(0), await database.slot(1)];
    await claim(database.pool, { slot, key: "k" });
    const reused = {
      code: "BK008",
      message: "Idempotency key was used for a different request",
    };

    await expect(claim(database.pool, { slot: other, key: "k" })).rejects.toMatchObject(reused);
    await expect(claim(database.pool, { slot: "99", key: "k" })).rejects.toMatchObject(reused);
    await expect(claim(database.pool, { slot, key: "k", provider: "2" })).rejects.toMatchObject(
      reused,
    );
  });

  test("stays bound to the requested slot when the booking moves", async () => {
    const [slot, other] = [await database.slot(0), await database.slot(1)];
    const { id } = await claim(database.pool, { slot, key: "k" });
    await row(database.pool, "select reschedule_booking($1, $2)", [id, other]);

    await expect(claim(database.pool, { slot: other, key: "k" })).rejects.toMatchObject({
      code: "BK008",
    });
  });
});
