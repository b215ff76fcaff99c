import { describe, expect, test } from "vitest";
import { claim, pay, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();
const call = (sql: string, ...values: unknown[]) =>
  row(database.pool, `select * from ${sql}`, values);

async function isAvailable(slot: string): Promise<unknown> {
  const sql = "select is_available from availability_slots where id = $1";
  return (await row(database.pool, sql, [slot]))["is_available"];
}

/** Makes a booking of its own slot, with the given status. */
async function booking(status: string, slot: string): Promise<unknown> {
  const { id } = await claim(database.pool, {
    slot,
    by: status === "confirmed" ? "vendor" : "customer",
    hold: status === "expired" ? "-1 second" : "1 hour",
  });
  if (status === "cancelled") await call("cancel_booking($1)", id);
  if (status === "expired") await call("expire_holds()");
  if (status === "completed") {
    await row(database.pool, "update bookings set status = 'completed'");
    await row(database.pool, "update availability_slots set is_available = true");
  }
  return id;
}

const notFound = { code: "BK005", message: "Booking not found" };

describe("cancel_booking", () => {
  test.each(["pending", "confirmed"])("ends a %s booking and frees its slot", async (status) => {
    const slot = await database.slot(0);
    const id = await booking(status, slot);

    expect(await call("cancel_booking($1)", id)).toMatchObject({ id, status: "cancelled" });
    expect(await isAvailable(slot)).toBe(true);
    expect(await claim(database.pool, { slot, customer: "next" })).toMatchObject({ id: "2" });
  });

  test.each(["cancelled", "expired", "completed"])("refuses one that is %s", async (status) => {
    const slot = await database.slot(0);
    const id = await booking(status, slot);
    const next = await claim(database.pool, { slot, customer: "next" });

    await expect(call("cancel_booking($1)", id)).rejects.toMatchObject({
      code: "BK006",
      message: "Booking is not active",
      detail: `Booking ${id} is ${status}.`,
    });
    // The next customer has booked the slot, and keeps it.
    expect(await isAvailable(slot)).toBe(false);
    expect(next).toMatchObject({ status: "pending" });
  });

  test("does not put a slot on offer that was withdrawn", async () => {
    const slot = await database.slot(0);
    const id = await booking("pending", slot);
    await row(database.pool, "update availability_slots set withdrawn_at = now()");

    await call("cancel_booking($1)", id);
    expect(await isAvailable(slot)).toBe(false);
    expect(await database.failures()).toEqual([]);
  });

  test("needs a booking", async () => {
    await expect(call("cancel_booking(99)")).rejects.toMatchObject(notFound);
  });
});

describe("expire_holds", () => {
  test("expires the pending bookings whose hold is over, and frees their slots", async () => {
    const slots: string[] = [];
    for (let hour = 0; hour < 5; hour++) slots.push(await database.slot(hour));
    const [first, second, held, vendors, paid] = slots as [string, string, string, string, string];
    await claim(database.pool, { slot: second, hold: "-1 second" });
    await claim(database.pool, { slot: first, hold: "-1 hour" });
    await claim(database.pool, { slot: held, hold: "1 hour" });
    await claim(database.pool, { slot: vendors, by: "vendor", hold: "-1 hour" });
    const { id } = await claim(database.pool, { slot: paid, hold: "-1 hour" });
    await pay(database.pool, id);

    expect(await call("expire_holds()")).toEqual({ expire_holds: 2 });
    const { rows } = await database.pool.query(
      "select b.slot_id, b.status, s.is_available from bookings b join availability_slots s on s.id = b.slot_id order by 1",
    );
    expect(rows.map(Object.values)).toEqual([
      [first, "expired", true],
      [second, "expired", true],
      [held, "pending", false],
      [vendors, "confirmed", false],
      [paid, "confirmed", false],
    ]);
    expect(await database.failures()).toEqual([]);
  });

  test("does not put a slot on offer that was withdrawn", async () => {
    const slot = await database.slot(0);
    await claim(database.pool, { slot, hold: "-1 second" });
    await row(database.pool, "update availability_slots set withdrawn_at = now()");

    expect(await call("expire_holds()")).toEqual({ expire_holds: 1 });
    expect(await isAvailable(slot)).toBe(false);
  });

  test("compares with the given time, to the microsecond", async () => {
    await claim(database.pool, { slot: await database.slot(0) });
    const { hold } = await row(database.pool, "select hold_expires_at::text as hold from bookings");

    const expire = (at: string) => call(`expire_holds($1::timestamptz ${at})`, hold);
    expect(await expire("- interval '1 microsecond'")).toEqual({ expire_holds: 0 });
    expect(await expire("")).toEqual({ expire_holds: 1 });
    expect(await expire("")).toEqual({ expire_holds: 0 });
  });
});
