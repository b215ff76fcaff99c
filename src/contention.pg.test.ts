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
const { waiting, inTurn } = contention(database);

const cancel =
  (booking: unknown): DatabaseCall =>
  (session) =>
    row(session, "select * from cancel_booking($1)", [booking]);
const reschedule =
  (booking: unknown, slot: string): DatabaseCall =>
  (session) =>
    row(session, "select * from reschedule_booking($1, $2)", [booking, slot]);
const withdraw =
  (slot: string): DatabaseCall =>
  (session) =>
    row(session, "select * from withdraw_slot($1)", [slot]);
const expire: DatabaseCall = (session) => row(session, "select expire_holds()");

const ofC =
  (slot: string, key?: string): DatabaseCall =>
  (session) =>
    claim(session, { slot, key: key ?? null });
const ofD =
  (slot: string, key?: string): DatabaseCall =>
  (session) =>
    claim(session, { slot, customer: "d", key: key ?? null });

describe("two claims", () => {
  test("of one slot: the second waits; it is refused after a commit and succeeds after a rollback", async () => {
    const slot = await database.slot(0);
    expect(await inTurn(ofC(slot), ofD(slot), "rollback")).toEqual(done({ customer_id: "d" }));

    const next = await database.slot(1);
    expect(await inTurn(ofC(next), ofD(next))).toEqual(refused("BK004"));
  });

  test.each([
    [0, 1],
    [1, 0],
  ])("of overlapping slots, in either order: the second waits (%i, %i)", async (one, two) => {
    const slots = [await database.slot(0, 2), await database.slot(1, 3)] as const;
    const [first, second] = [slots[one] ?? "", slots[two] ?? ""];

    expect(await inTurn(ofC(first), ofD(second))).toEqual(refused("BK004"));
  });

  test("of overlapping slots when the first rolls back", async () => {
    const [first, second] = [await database.slot(0, 2), await database.slot(1, 3)];

    expect(await inTurn(ofC(first), ofD(second), "rollback")).toEqual(done({ slot_id: second }));
  });

  test("of overlapping slots, one of them published after the other was claimed", async () => {
    const first = await database.slot(0, 2);
    const session = await database.session();
    await session.query("begin");
    await claim(session, { slot: first });
    const second = await database.slot(1, 3);
    const { outcome } = await waiting(ofD(second));
    await session.query("commit");

    expect(await outcome).toEqual(refused("BK004"));
  });

  test("of which the first booked a slot that the second could not lock yet", async () => {
    const [before, target] = [await database.slot(0, 2), await database.slot(1, 4)];
    const holder = await database.session();
    await holder.query("begin");
    await row(holder, "select from availability_slots where id = $1 for update", [before]);
    const { outcome } = await waiting(ofC(target));
    // While the claim waits for the earlier slot, another slot is published and booked,
    const { id } = await claim(database.pool, { slot: await database.slot(3, 5), customer: "d" });
    // and its booking is about to change. The claim is refused at once: it never waits for that change,
    // which may itself wait for the claim.
    const changer = await database.session();
    await changer.query("begin");
    await pay(changer, id);
    await holder.query("rollback");

    expect(await outcome).toEqual(refused("BK004"));
    await changer.query("commit");
    expect(await database.failures()).toEqual([]);
  });
});

describe("two claims with one idempotency key", () => {
  test("of one slot: the second returns the first one's booking", async () => {
    const slot = await database.slot(0);
    expect(await inTurn(ofC(slot, "k"), ofC(slot, "k"))).toEqual(done({ id: "1" }));
    expect(await row(database.pool, "select count(*) from bookings")).toEqual({ count: "1" });
  });

  test("of one slot, when the first rolls back: the second makes a booking", async () => {
    const slot = await database.slot(0);

    expect(await inTurn(ofC(slot, "k"), ofC(slot, "k"), "rollback")).toEqual(
      done({ slot_id: slot, status: "pending" }),
    );
  });

  test("of two slots: the second is refused, unless the first rolls back", async () => {
    const [one, two] = [await database.slot(0), await database.slot(1)];
    expect(await inTurn(ofC(one, "k"), ofC(two, "k"), "rollback")).toEqual(done({ slot_id: two }));
    expect(await inTurn(ofC(one, "other"), ofC(await database.slot(2), "other"))).toEqual(
      refused("BK008"),
    );
  });
});

test.each([
  "claim",
  "reschedule",
])("a %s that waits until its slot has begun is refused", async (kind) => {
  const { id } = await claim(database.pool, { slot: await database.slot(0) });
  const { slot } = await row(
    database.pool,
    "select id as slot from publish_slot(1, now() + interval '500 ms', now() + interval '1 hour')",
  );
  const holder = await database.session();
  await holder.query("begin");
  await row(holder, "select from availability_slots where id = $1 for update", [slot]);
  const call = kind === "claim" ? ofC(String(slot)) : reschedule(id, String(slot));
  const { pid, outcome } = await waiting(call);
  const began = await row(
    holder,
    `select a.xact_start < s.start_at as before,
              pg_sleep(greatest(0, extract(epoch from s.start_at - clock_timestamp())))
         from pg_stat_activity a, availability_slots s where a.pid = $1 and s.id = $2`,
    [pid, slot],
  );
  await holder.query("commit");

  expect(began).toMatchObject({ before: true });
  expect(await outcome).toEqual(refused("BK003"));
});

describe("changes of one booking", () => {
  test("two cancels: the second is refused, and the next customer keeps the slot", async () => {
    const slot = await database.slot(0);
    const { id } = await claim(database.pool, { slot });
    expect(await inTurn(cancel(id), cancel(id))).toEqual(refused("BK006"));

    const next = await claim(database.pool, { slot });
    await expect(cancel(id)(await database.session())).rejects.toMatchObject({ code: "BK006" });
    expect(await inTurn(cancel(next["id"]), ofD(slot))).toEqual(done({ customer_id: "d" }));
  });

  test("reschedule and cancel: the cancel frees the booking's new slot", async () => {
    const [from, to] = [await database.slot(0), await database.slot(1)];
    const { id } = await claim(database.pool, { slot: from });
    expect(await inTurn(reschedule(id, to), cancel(id))).toEqual(done({ slot_id: to }));

    const other = await claim(database.pool, { slot: from });
    expect(await inTurn(cancel(other["id"]), reschedule(other["id"], to))).toEqual(
      refused("BK006"),
    );
  });

  test("reschedule and expiry: the expiry frees the booking's new slot", async () => {
    const [from, to] = [await database.slot(0), await database.slot(1)];
    const { id } = await claim(database.pool, { slot: from, hold: "-1 second" });
    expect(await inTurn(reschedule(id, to), expire)).toEqual(done({ expire_holds: 1 }));
    expect(await inTurn(ofC(from), ofD(from))).toEqual(refused("BK004"));
    expect(await inTurn(ofC(to), ofD(to))).toEqual(refused("BK004"));
  });

  test("two reschedules: the second moves the booking from the first one's slot", async () => {
    const [from, one, two] = [
      await database.slot(0),
      await database.slot(1),
      await database.slot(2),
    ];
    const { id } = await claim(database.pool, { slot: from });

    expect(await inTurn(reschedule(id, one), reschedule(id, two))).toEqual(done({ slot_id: two }));
  });
});

test.each([
  [0, 1],
  [1, 0],
] as const)("reschedules that cross do not wait in a circle (%i, %i)", async (a, b) => {
  const [one, two] = [await database.slot(0), await database.slot(1)];
  const first = await claim(database.pool, { slot: one });
  const second = await claim(database.pool, { slot: two });
  const crossing = [reschedule(first["id"], two), reschedule(second["id"], one)] as const;
  const holder = await database.session();
  await holder.query("begin");
  await row(holder, "select from availability_slots where id = $1 for update", [one]);
  // Both wait for the lower slot first; neither has locked the higher one.
  const outcomes = [(await waiting(crossing[a])).outcome, (await waiting(crossing[b])).outcome];
  await holder.query("commit");

  expect(await Promise.all(outcomes)).toEqual([refused("BK004"), refused("BK004")]);
  expect(await database.failures()).toEqual([]);
});

test("expiring two holds does not deadlock with a claim that locks both slots", async () => {
  const [low, between, high] = [
    await database.slot(0, 2),
    await database.slot(1, 3),
    await database.slot(2, 4),
  ];
  // Updating the lower slot last moves its row to the end of the table.
  for (const slot of [high, low]) await claim(database.pool, { slot, hold: "-1 second" });
  const holder = await database.session();
  await holder.query("begin");
  await row(holder, "select from availability_slots where id = $1 for update", [low]);
  const inTableOrder: DatabaseCall = async (session) => {
    await session.query("set enable_indexscan = off");
    await session.query("set enable_bitmapscan = off");
    return expire(session);
  };
  const outcomes = [(await waiting(ofD(between))).outcome, (await waiting(inTableOrder)).outcome];
  await holder.query("commit");

  expect(await Promise.all(outcomes)).toEqual([refused("BK004"), done({ expire_holds: 2 })]);
});

describe("withdraw and claim", () => {
  test("a slot that is being booked cannot be withdrawn", async () => {
    const slot = await database.slot(0);
    expect(await inTurn(ofC(slot), withdraw(slot), "rollback")).toEqual(done({ id: slot }));

    const other = await database.slot(1);
    expect(await inTurn(ofC(other), withdraw(other))).toEqual(refused("BK007"));
  });

  test("a slot that is being withdrawn cannot be booked", async () => {
    const slot = await database.slot(0);
    expect(await inTurn(withdraw(slot), ofC(slot))).toEqual(refused("BK004"));

    const { id } = await claim(database.pool, { slot: await database.slot(1) });
    const target = await database.slot(2);
    expect(await inTurn(withdraw(target), reschedule(id, target))).toEqual(refused("BK004"));
  });
});

test("two concurrent publishes of one time make one slot", async () => {
  const publish: DatabaseCall = (session) =>
    row(session, "select * from publish_slot(1, '2999-01-01 10:00Z', '2999-01-01 11:00Z')");

  expect(await inTurn(publish, publish)).toEqual(done({ id: "1", is_available: true }));
});
