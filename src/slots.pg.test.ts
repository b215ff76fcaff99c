import { describe, expect, test } from "vitest";
import { claim, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();

const slots = async () =>
  (await database.pool.query("select * from availability_slots order by id")).rows;
const withdraw = (slot: string) => row(database.pool, "select * from withdraw_slot($1)", [slot]);

describe("publish_slot", () => {
  test("publishes a slot", async () => {
    const slot = await row(
      database.pool,
      "select * from publish_slot(1, '2999-01-01 10:00Z', '2999-01-01 11:00:00.0004Z')",
    );

    expect(await slots()).toEqual([slot]);
    expect(slot).toMatchObject({
      id: "1",
      provider_id: "1",
      // Kept to the millisecond.
      start_at: new Date("2999-01-01T10:00:00Z"),
      end_at: new Date("2999-01-01T11:00:00Z"),
      is_available: true,
      withdrawn_at: null,
    });
  });

  test("allows overlapping slots", async () => {
    await database.slot(0, 2);
    await database.slot(1, 3);

    expect(await slots()).toHaveLength(2);
  });

  test("of a published time returns the slot unchanged, free or booked", async () => {
    const slot = await database.slot(0);
    const [free] = await slots();
    expect(await database.slot(0)).toBe(slot);
    expect(await slots()).toEqual([free]);

    await claim(database.pool, { slot });
    const [booked] = await slots();
    expect(await database.slot(0)).toBe(slot);
    expect(await slots()).toEqual([booked]);
    expect(booked).toMatchObject({ is_available: false });
  });

  test("rounds times to milliseconds, and finds the slot again", async () => {
    const publish = () =>
      row(
        database.pool,
        "select id from publish_slot(1, '2999-01-01 10:00:00.0006Z', '2999-01-01 11:00Z')",
      );

    expect(await publish()).toEqual({ id: "1" });
    expect(await publish()).toEqual({ id: "1" });
  });

  test("of a withdrawn time publishes that slot again", async () => {
    const slot = await database.slot(0);
    await withdraw(slot);

    expect(await database.slot(0)).toBe(slot);
    expect(await slots()).toMatchObject([{ is_available: true, withdrawn_at: null }]);
  });

  test("needs a provider, and an end after the start", async () => {
    await expect(database.slot(0, 1, "99")).rejects.toMatchObject({ code: "23503" });
    await expect(database.slot(1, 1)).rejects.toMatchObject({ code: "23514" });
    await expect(database.slot(1, 0)).rejects.toMatchObject({ code: "23514" });
  });
});

describe("withdraw_slot", () => {
  test("withdraws a slot; a repeat changes nothing", async () => {
    const slot = await database.slot(0);
    const withdrawn = await withdraw(slot);

    expect(withdrawn).toMatchObject({ is_available: false, withdrawn_at: expect.any(Date) });
    expect(await withdraw(slot)).toMatchObject({ withdrawn_at: withdrawn["withdrawn_at"] });
    expect(await database.failures()).toEqual([]);
  });

  test.each(["customer", "vendor"] as const)("refuses a slot that a %s booked", async (by) => {
    const slot = await database.slot(0);
    await claim(database.pool, { slot, by });

    await expect(withdraw(slot)).rejects.toMatchObject({
      code: "BK007",
      message: "Slot has an active booking",
    });
    expect(await slots()).toMatchObject([{ withdrawn_at: null }]);
  });

  test("withdraws a slot whose booking was cancelled", async () => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot });
    await row(database.pool, "select cancel_booking($1)", [id]);

    expect(await withdraw(slot)).toMatchObject({ is_available: false });
  });

  test("needs a slot", async () => {
    await expect(withdraw("99")).rejects.toMatchObject({
      code: "BK001",
      message: "Slot not found",
    });
  });
});
