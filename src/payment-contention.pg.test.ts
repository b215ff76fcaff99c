import { describe, expect, test } from "vitest";
import {
  claim,
  contention,
  type DatabaseCall,
  done,
  pay,
  refused,
  row,
  testDatabase,
} from "./database.fixture.ts";

const database = testDatabase();
const { inTurn } = contention(database);

const payment =
  (booking: unknown, captured = true): DatabaseCall =>
  (session) =>
    pay(session, booking, captured);
const cancel =
  (booking: unknown): DatabaseCall =>
  (session) =>
    row(session, "select * from cancel_booking($1)", [booking]);
const expire: DatabaseCall = (session) => row(session, "select expire_holds()");
const ofD =
  (slot: string): DatabaseCall =>
  (session) =>
    claim(session, { slot, customer: "d" });

describe("a payment and a concurrent", () => {
  test("cancel: the payment is refunded in either order", async () => {
    const { id } = await claim(database.pool, { slot: await database.slot(0) });
    expect(await inTurn(payment(id), cancel(id))).toEqual(done({ status: "cancelled" }));

    const other = await claim(database.pool, { slot: await database.slot(0) });
    expect(await inTurn(cancel(other["id"]), payment(other["id"]))).toEqual(
      done({ status: "cancelled", payment_status: "refund_due" }),
    );
    const due = await database.pool.query("select from payments where status = 'refund_due'");
    expect(due.rowCount).toBe(2);
  });

  test("expiry: in either order the booking is paid and has its slot", async () => {
    const slot = await database.slot(0);
    const paid = await claim(database.pool, { slot, hold: "-1 second" });
    expect(await inTurn(payment(paid["id"]), expire)).toEqual(done({ expire_holds: 0 }));
    await row(database.pool, "select cancel_booking($1)", [paid["id"]]);

    const late = await claim(database.pool, { slot, hold: "-1 second" });
    expect(await inTurn(expire, payment(late["id"]))).toEqual(
      done({ status: "confirmed", payment_status: "captured" }),
    );
    await expect(claim(database.pool, { slot })).rejects.toMatchObject({ code: "BK004" });
  });

  test("event of the same payment: it is recorded once", async () => {
    const { id } = await claim(database.pool, { slot: await database.slot(0) });
    const captured = done({ status: "confirmed", payment_status: "captured" });
    expect(await inTurn(payment(id), payment(id))).toEqual(captured);
    expect(await inTurn(payment(id), payment(id, false))).toEqual(captured);

    const other = await claim(database.pool, { slot: await database.slot(1) });
    expect(await inTurn(payment(other["id"], false), payment(other["id"]))).toEqual(captured);
  });

  test("use of it for another booking: the second is refused", async () => {
    const one = await claim(database.pool, { slot: await database.slot(0) });
    const two = await claim(database.pool, { slot: await database.slot(1) });
    const forBooking =
      (id: unknown): DatabaseCall =>
      (session) =>
        pay(session, id, true, "pi");
    expect(await inTurn(forBooking(one["id"]), forBooking(two["id"]))).toEqual(refused("BK009"));
  });
});

describe("a late payment", () => {
  async function expired() {
    const slot = await database.slot(0, 2);
    const { id } = await claim(database.pool, { slot, hold: "-1 second" });
    await row(database.pool, "select expire_holds()");
    return { slot, id };
  }

  test("and a claim of the slot: one gets it, and a useless payment is refunded", async () => {
    const { slot, id } = await expired();
    expect(await inTurn(ofD(slot), payment(id))).toEqual(done({ payment_status: "refund_due" }));
  });

  test("wins the slot back from a claim that comes later", async () => {
    const { slot, id } = await expired();
    expect(await inTurn(payment(id), ofD(slot))).toEqual(refused("BK004"));
  });

  test.each([
    [0, 3],
    [1, 3],
  ])("whose snapshot is older than an overlapping booking is refunded (%i, %i)", async (...times) => {
    const { id } = await expired();
    const late = await database.session();
    await late.query("begin isolation level repeatable read");
    await late.query("select from bookings");
    await claim(database.pool, { slot: await database.slot(...times), customer: "d" });
    expect(await pay(late, id)).toMatchObject({ status: "expired", payment_status: "refund_due" });
    await late.query("commit");
    expect(await database.failures()).toEqual([]);
  });
});
