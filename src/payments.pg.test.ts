import { describe, expect, test } from "vitest";
import { claim, pay, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();
const query = (sql: string, ...values: unknown[]) => row(database.pool, sql, values);

async function slotOf(id: unknown): Promise<unknown> {
  const sql = `select s.is_available from availability_slots s
                 join bookings b on b.slot_id = s.id where b.id = $1`;
  return (await query(sql, id))["is_available"];
}

/** Makes a customer's booking of slot 1 with the given status. */
async function booking(status: string) {
  const slot = await database.slot(0, 2);
  const hold = status === "expired" ? "-1 second" : "1 hour";
  const { id } = await claim(database.pool, { slot, hold });
  if (status === "confirmed") await pay(database.pool, id, true, "first");
  if (status === "cancelled") await query("select cancel_booking($1)", id);
  if (status === "expired") await query("select expire_holds()");
  return { id, slot };
}

const refundDue = { payment_status: "refund_due" };

describe("a captured payment", () => {
  test("confirms its pending booking", async () => {
    const { id } = await booking("pending");
    expect(await pay(database.pool, id)).toMatchObject({
      id,
      status: "confirmed",
      payment_status: "captured",
      payment_intent_id: `pi_${id}`,
      hold_expires_at: null,
    });
    expect(await slotOf(id)).toBe(false);
    expect(await database.failures()).toEqual([]);
  });

  test.each(["confirmed", "cancelled"])("of a booking that is %s is refunded", async (status) => {
    const { id } = await booking(status);
    expect(await pay(database.pool, id)).toMatchObject({ status, ...refundDue });
    expect(await database.failures()).toEqual([]);
  });

  test("of a vendor's booking is refunded", async () => {
    const { id } = await claim(database.pool, { slot: await database.slot(0), by: "vendor" });
    expect(await pay(database.pool, id)).toMatchObject({ status: "confirmed", ...refundDue });
  });

  test("of an expired booking wins its slot back", async () => {
    const { id } = await booking("expired");
    expect(await slotOf(id)).toBe(true);
    expect(await pay(database.pool, id)).toMatchObject({
      status: "confirmed",
      payment_status: "captured",
    });
    expect(await slotOf(id)).toBe(false);
    expect(await database.failures()).toEqual([]);
  });

  test("of an expired booking is refunded if the slot is booked", async () => {
    const { id, slot } = await booking("expired");
    await claim(database.pool, { slot, customer: "next" });
    expect(await pay(database.pool, id)).toMatchObject({ status: "expired", ...refundDue });
    expect(await database.failures()).toEqual([]);
  });

  test("of an expired booking is refunded if an overlapping slot is booked", async () => {
    const { id } = await booking("expired");
    await claim(database.pool, { slot: await database.slot(1, 3), customer: "next" });
    expect(await pay(database.pool, id)).toMatchObject({ status: "expired", ...refundDue });
    expect(await slotOf(id)).toBe(true);
  });

  test("of an expired booking is refunded if the slot was withdrawn or has begun", async () => {
    const withdrawn = await booking("expired");
    await query("select withdraw_slot($1)", withdrawn.slot);
    expect(await pay(database.pool, withdrawn.id)).toMatchObject(refundDue);

    const begun = await claim(database.pool, { slot: await database.slot(5), hold: "-1 second" });
    await query("select expire_holds()");
    const past = "start_at - interval '9 days', end_at = end_at - interval '9 days'";
    const session = await database.session();
    await session.query(
      "begin; set constraints all deferred; set session_replication_role = replica",
    );
    await session.query(`update availability_slots set start_at = ${past} where id = $1`, [
      begun["slot_id"],
    ]);
    await session.query(`update bookings set start_at = ${past} where id = $1`, [begun["id"]]);
    await session.query("set session_replication_role = origin");
    await session.query("commit");
    expect(await pay(database.pool, begun["id"])).toMatchObject(refundDue);
  });

  test("is refunded when its booking is cancelled, and only then", async () => {
    const { id } = await booking("confirmed");
    const declined = await pay(database.pool, id, false, "second");
    expect(declined).toMatchObject({ status: "confirmed", payment_status: "declined" });
    await query("select cancel_booking($1)", id);
    const { rows } = await database.pool.query("select intent, status from payments order by 1");
    expect(rows).toEqual([
      { intent: "first", status: "refund_due" },
      { intent: "second", status: "declined" },
    ]);
  });
});

describe("an event", () => {
  test("that is repeated changes nothing", async () => {
    const { id } = await booking("pending");
    const first = await pay(database.pool, id);
    expect(await pay(database.pool, id)).toEqual(first);

    await query("select cancel_booking($1)", id);
    await query("update payments set status = 'refunded'");
    expect(await pay(database.pool, id)).toMatchObject({ payment_status: "refunded" });
  });

  test("of a declined card leaves the booking pending, and the next attempt confirms it", async () => {
    const { id } = await booking("pending");
    const declined = { status: "pending", payment_status: "declined" };
    expect(await pay(database.pool, id, false)).toMatchObject(declined);
    expect(await pay(database.pool, id, false)).toMatchObject(declined);
    expect(await pay(database.pool, id)).toMatchObject({ payment_status: "captured" });
    expect(await pay(database.pool, id, false)).toMatchObject({ payment_status: "captured" });
    expect(await database.failures()).toEqual([]);
  });

  test("needs the payment's own booking", async () => {
    await expect(pay(database.pool, 99)).rejects.toMatchObject({ code: "BK005" });
    const { id } = await booking("pending");
    const other = await claim(database.pool, { slot: await database.slot(5) });
    await pay(database.pool, id, true, "pi");
    await expect(pay(database.pool, other["id"], true, "pi")).rejects.toMatchObject({
      code: "BK009",
      message: "Payment is for a different booking",
    });
    expect(await query("select status from bookings where id = $1", other["id"])).toEqual({
      status: "pending",
    });
  });
});

describe("verify_payment_consistency", () => {
  const failures = async () => {
    const sql =
      "select check_name, details from verify_payment_consistency() where status = 'FAIL'";
    return (await database.pool.query(sql)).rows;
  };

  test("passes states made by the functions, with a description for each check", async () => {
    await pay(database.pool, (await booking("confirmed")).id, true, "again");
    const { rows } = await database.pool.query("select * from verify_payment_consistency()");
    expect(rows.map((check) => [check.check_name, check.status, check.details])).toEqual([
      [
        "captured_payment_without_booking",
        "PASS",
        "Every payment that is kept has an active booking.",
      ],
      ["confirmed_booking_without_payment", "PASS", "Every confirmed customer booking is paid."],
      ["booking_with_several_payments", "PASS", "No booking is paid more than once."],
    ]);
  });

  test.each([
    [
      "update bookings set status = 'cancelled'",
      "captured_payment_without_booking",
      "Payment first is kept, but its booking 1 is cancelled.",
    ],
    [
      "update bookings set status = 'pending'",
      "captured_payment_without_booking",
      "Payment first is kept, but its booking 1 is pending.",
    ],
    [
      "update payments set status = 'refund_due'",
      "confirmed_booking_without_payment",
      "Booking 1 is confirmed, and its customer has not paid.",
    ],
    [
      "delete from payments",
      "confirmed_booking_without_payment",
      "Booking 1 is confirmed, and its customer has not paid.",
    ],
  ])("finds the violation after: %s", async (corruption, check_name, details) => {
    await booking("confirmed");
    await query(corruption);
    expect(await failures()).toEqual([{ check_name, details }]);
  });

  test("finds a booking that was paid twice", async () => {
    await booking("confirmed");
    const session = await database.session();
    await session.query("begin; drop index idx_payments_booking_captured");
    await session.query("insert into payments values ('second', 1, 'captured')");
    const { rows } = await session.query(
      "select check_name, details from verify_payment_consistency() where status = 'FAIL'",
    );
    await session.query("rollback");
    expect(rows).toEqual([
      {
        check_name: "booking_with_several_payments",
        details: "Booking 1 was paid 2 times: first, second.",
      },
    ]);
  });
});
