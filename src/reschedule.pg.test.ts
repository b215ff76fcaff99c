import { describe, expect, test } from "vitest";
import { claim, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();

const reschedule = (booking: unknown, slot: string) =>
  row(database.pool, "select * from reschedule_booking($1, $2)", [booking, slot]);

async function available(): Promise<string[]> {
  const { rows } = await database.pool.query<{ id: string }>(
    "select id from availability_slots where is_available order by id",
  );
  return rows.map(({ id }) => id);
}

test("moves a booking with its times, frees the old slot and takes the new one", async () => {
  const [from, to] = [await database.slot(0), await database.slot(5, 7)];
  const { id } = await claim(database.pool, { slot: from });

  const moved = await reschedule(id, to);

  const slot = await row(database.pool, "select * from availability_slots where id = $1", [to]);
  expect(moved).toMatchObject({
    id,
    slot_id: to,
    start_at: slot["start_at"],
    end_at: slot["end_at"],
    status: "pending",
  });
  expect(await available()).toEqual([from]);
  expect(await database.failures()).toEqual([]);
});

test("may move to a slot that overlaps the booking itself", async () => {
  const [from, to] = [await database.slot(0, 2), await database.slot(1, 3)];
  const { id } = await claim(database.pool, { slot: from, by: "vendor" });

  expect(await reschedule(id, to)).toMatchObject({ slot_id: to, status: "confirmed" });
  expect(await available()).toEqual([from]);
});

test("to its own slot changes nothing", async () => {
  const slot = await database.slot(0);
  const booking = await claim(database.pool, { slot });

  expect(await reschedule(booking["id"], slot)).toEqual(booking);
  expect(await available()).toEqual([]);
});

test("does not put a slot on offer that was withdrawn", async () => {
  const [from, to] = [await database.slot(0), await database.slot(1)];
  const { id } = await claim(database.pool, { slot: from });
  await row(database.pool, "update availability_slots set withdrawn_at = now() where id = $1", [
    from,
  ]);

  await reschedule(id, to);
  expect(await available()).toEqual([]);
});

describe("refuses, and leaves the booking where it was:", () => {
  async function refused(slot: string, fields: object) {
    const own = await database.slot(0, 2);
    const { id } = await claim(database.pool, { slot: own });
    const before = await row(database.pool, "select * from bookings where id = $1", [id]);

    await expect(reschedule(id, slot)).rejects.toMatchObject(fields);
    expect(await row(database.pool, "select * from bookings where id = $1", [id])).toEqual(before);
    expect(await database.failures()).toEqual([]);
  }

  test("a slot that does not exist", () => refused("99", { code: "BK001" }));

  test("a slot of another provider", async () => {
    await refused(await database.slot(0, 1, "2"), { code: "BK002" });
  });

  test("a slot in the past", async () => {
    await refused(await database.slot(-100), { code: "BK003" });
  });

  test("a slot that is booked", async () => {
    const slot = await database.slot(5);
    await claim(database.pool, { slot });
    await refused(slot, { code: "BK004", message: "Slot is not available" });
  });

  test("a slot that was withdrawn", async () => {
    const slot = await database.slot(5);
    await row(database.pool, "select withdraw_slot($1)", [slot]);
    await refused(slot, { code: "BK004" });
  });

  test("a slot that overlaps another booking", async () => {
    await claim(database.pool, { slot: await database.slot(5, 7) });
    await refused(await database.slot(6, 8), { code: "BK004" });
  });
});

test("refuses a booking that is not active, and one that does not exist", async () => {
  const [from, to] = [await database.slot(0), await database.slot(1)];
  const { id } = await claim(database.pool, { slot: from });
  await row(database.pool, "select cancel_booking($1)", [id]);

  await expect(reschedule(id, to)).rejects.toMatchObject({
    code: "BK006",
    message: "Booking is not active",
  });
  await expect(reschedule(id, from)).rejects.toMatchObject({ code: "BK006" });
  await expect(reschedule("99", to)).rejects.toMatchObject({ code: "BK005" });
});
