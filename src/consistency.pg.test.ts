import { describe, expect, test } from "vitest";
import { claim, row, testDatabase } from "./database.fixture.ts";

const database = testDatabase();

async function offending() {
  const { rows } = await database.pool.query(
    "select * from check_slot_booking_consistency() order by check_name, slot_id, booking_id",
  );
  return rows;
}

/** Runs statements without the constraints and triggers that would refuse them. */
async function corrupt(...statements: string[]) {
  const session = await database.session();
  await session.query("begin");
  await session.query(`
    alter table bookings drop constraint bookings_no_overlap_provider_time;
    alter table bookings drop constraint bookings_slot_fkey;
    drop index idx_bookings_provider_time_unique`);
  for (const statement of statements) await session.query(statement);
  const found = await session.query("select * from check_slot_booking_consistency()");
  const verdicts = await session.query<{ check_name: string; status: string }>(
    "select * from verify_booking_slot_consistency()",
  );
  await session.query("rollback");
  const failed = verdicts.rows.filter(({ status }) => status === "FAIL");
  return { rows: found.rows, failed, checks: verdicts.rows.length };
}

/** Copies the booking of slot 1, with changes. */
function copyOfBooking(changes: Record<string, string>): string {
  const columns = ["slot_id", "provider_id", "start_at", "end_at"];
  const values = columns.map((column) => changes[column] ?? column);
  return `
    insert into bookings (customer_id, customer_name, status, ${columns.join(", ")})
    select 'd', 'D', 'confirmed', ${values.join(", ")} from bookings where id = 1`;
}

describe("a state made by the functions passes", () => {
  test("when it is empty", async () => {
    expect(await offending()).toEqual([]);
    expect(await database.failures()).toEqual([]);
  });

  test("with free, booked, overlapped, adjacent, withdrawn and freed slots", async () => {
    const [booked, , , adjacent, withdrawn, freed] = [
      await database.slot(0, 2),
      await database.slot(0, 3),
      await database.slot(1, 3),
      await database.slot(2, 3),
      await database.slot(4),
      await database.slot(5),
      await database.slot(0, 2, "2"),
    ];
    await claim(database.pool, { slot: booked ?? "" });
    await claim(database.pool, { slot: adjacent ?? "", by: "vendor" });
    await row(database.pool, "select withdraw_slot($1)", [withdrawn]);
    const { id } = await claim(database.pool, { slot: freed ?? "" });
    await row(database.pool, "select cancel_booking($1)", [id]);

    expect(await offending()).toEqual([]);
    const { rows } = await database.pool.query("select * from verify_booking_slot_consistency()");
    expect(rows).toEqual([
      {
        check_name: "unavailable_slot_without_booking",
        status: "PASS",
        violations: "0",
        details: "Every unavailable slot is booked or withdrawn.",
      },
      {
        check_name: "slot_with_several_bookings",
        status: "PASS",
        violations: "0",
        details: "No slot has more than one active booking.",
      },
      {
        check_name: "booking_without_claimed_slot",
        status: "PASS",
        violations: "0",
        details: "Every active booking holds its slot.",
      },
      {
        check_name: "overlapping_bookings",
        status: "PASS",
        violations: "0",
        details: "No two active bookings of a provider overlap.",
      },
    ]);
  });
});

describe("a corrupted row is reported by its check alone", () => {
  test.each([
    "true",
    "status in ('cancelled', 'expired', 'completed')",
  ])("an unavailable slot without an active booking", async (bookings) => {
    await claim(database.pool, { slot: await database.slot(0) });
    const { rows, failed } = await corrupt(
      "update bookings set status = 'cancelled'",
      `delete from bookings where ${bookings}`,
    );

    expect(rows).toEqual([
      {
        check_name: "unavailable_slot_without_booking",
        slot_id: "1",
        booking_id: null,
        provider_id: "1",
        details: "Slot 1 is neither available nor withdrawn, and has no active booking.",
      },
    ]);
    expect(failed).toEqual([
      {
        check_name: "unavailable_slot_without_booking",
        status: "FAIL",
        violations: "1",
        details: "Slot 1 is neither available nor withdrawn, and has no active booking.",
      },
    ]);
  });

  test("a slot with several active bookings", async () => {
    await claim(database.pool, { slot: await database.slot(0) });
    // At another time, so that only the slot is shared.
    const later = (column: string) => `${column} + interval '5 hours'`;
    const { rows } = await corrupt(
      copyOfBooking({ start_at: later("start_at"), end_at: later("end_at") }),
    );

    expect(rows).toEqual([
      {
        check_name: "slot_with_several_bookings",
        slot_id: "1",
        booking_id: "2",
        provider_id: "1",
        details: "Slot 1 has 2 active bookings: 1, 2.",
      },
    ]);
  });

  test.each([
    ["is still available", "update availability_slots set is_available = true"],
    ["was withdrawn", "update availability_slots set withdrawn_at = now()"],
    ["does not exist", "delete from availability_slots"],
  ])("an active booking whose slot %s", async (fault, statement) => {
    await claim(database.pool, { slot: await database.slot(0) });
    const { rows } = await corrupt(statement);

    expect(rows).toEqual([
      {
        check_name: "booking_without_claimed_slot",
        slot_id: "1",
        booking_id: "1",
        provider_id: "1",
        details: `Booking 1 is active, but its slot 1 ${fault}.`,
      },
    ]);
  });

  test("overlapping bookings of one provider, cluster by cluster", async () => {
    // A long one; two within it that do not overlap each other; one apart; two more.
    for (const [from, to] of [
      [0, 10],
      [1, 2],
      [8, 9],
      [10, 11],
      [20, 22],
      [21, 23],
    ] as const) {
      await database.slot(from, to);
    }
    // At the same times, of another provider.
    await database.slot(0, 10, "2");
    await database.slot(10, 11, "2");
    const { rows, failed, checks } = await corrupt(
      "update availability_slots set is_available = false",
      `insert into bookings (slot_id, provider_id, start_at, end_at, customer_id, customer_name, status)
       select id, provider_id, start_at, end_at, 'c', 'C', 'pending' from availability_slots order by id`,
    );

    expect(rows).toEqual([
      {
        check_name: "overlapping_bookings",
        slot_id: "3",
        booking_id: "3",
        provider_id: "1",
        details: "Bookings 1, 2, 3 of provider 1 overlap.",
      },
      {
        check_name: "overlapping_bookings",
        slot_id: "6",
        booking_id: "6",
        provider_id: "1",
        details: "Bookings 5, 6 of provider 1 overlap.",
      },
    ]);
    expect(failed).toMatchObject([{ check_name: "overlapping_bookings", violations: "2" }]);
    expect(checks).toBe(4);
  });
});

test("details show the first ten violations and the number of the others", async () => {
  for (let hour = 0; hour < 12; hour++) await database.slot(hour);
  const { failed } = await corrupt("update availability_slots set is_available = false");

  expect(failed).toMatchObject([{ violations: "12" }]);
  expect(failed[0]).toHaveProperty(
    "details",
    expect.stringMatching(/^Slot 1 is.* Slot 10 is.* And 2 more\.$/),
  );
});
