import { Pool, type PoolConfig } from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { startServer } from "../harness/postgres/provider.ts";
import { testPostgres } from "../harness/postgres/server.fixture.ts";
import { claim, pidOf, row, testDatabase } from "./database.fixture.ts";
import { errorFromPostgres } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { postgresStore } from "./store.ts";

const database = testDatabase();
let pools: Pool[] = [];

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  pools = [];
});

function open(config: PoolConfig = {}) {
  const pool = new Pool({ connectionString: database.url, ...config });
  pools.push(pool);
  return { pool, store: postgresStore(pool) };
}

/** The request of a create of a slot. */
async function request(slot: string, given: object = {}) {
  const found = await row(database.pool, "select * from availability_slots where id = $1", [slot]);
  return {
    providerId: String(found["provider_id"]),
    startAt: (found["start_at"] as Date).toISOString(),
    endAt: (found["end_at"] as Date).toISOString(),
    customerId: "c",
    customerName: "Ada",
    ...given,
  };
}

const terminate = (pid: number) => row(database.pool, "select pg_terminate_backend($1)", [pid]);

describe("createBooking", () => {
  test("finds the slot by provider and times, and stores every field", async () => {
    const { store } = open();
    const slot = await database.slot(0);
    await database.slot(0, 2);
    const { booking, created } = await store.createBooking(
      await request(slot, {
        notes: "n",
        idempotencyKey: "k",
        paymentIntentId: "pi",
        createdBy: "vendor",
      }),
    );

    expect(created).toBe(true);
    expect(booking).toEqual({
      id: "1",
      slotId: slot,
      providerId: "1",
      customerId: "c",
      customerName: "Ada",
      notes: "n",
      startAt: expect.any(Date),
      endAt: expect.any(Date),
      status: "confirmed",
      idempotencyKey: "k",
      paymentIntentId: "pi",
      createdBy: "vendor",
      holdExpiresAt: null,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
    });
  });

  test("says if an earlier request made the booking", async () => {
    const { store } = open();
    const body = await request(await database.slot(0), { idempotencyKey: "k" });
    const first = await store.createBooking(body);
    const repeats = await Promise.all([store.createBooking(body), store.createBooking(body)]);

    expect(first.created).toBe(true);
    expect(repeats).toEqual([
      { booking: first.booking, created: false },
      { booking: first.booking, created: false },
    ]);
  });

  test("makes one booking for two concurrent requests with one key", async () => {
    const { store } = open();
    const body = await request(await database.slot(0), { idempotencyKey: "k" });
    const both = await Promise.all([store.createBooking(body), store.createBooking(body)]);

    expect(both.map(({ booking }) => booking.id)).toEqual(["1", "1"]);
    expect(both.map(({ created }) => created).sort()).toEqual([false, true]);
  });

  test("needs a slot with those times", async () => {
    const { store } = open();
    const body = await request(await database.slot(0));
    const later = new Date(Date.parse(body.endAt) + 1).toISOString();

    await expect(store.createBooking({ ...body, endAt: later })).rejects.toMatchObject({
      code: "SLOT_NOT_FOUND",
      message: "Slot not found",
    });
    await expect(store.createBooking({ ...body, providerId: "2" })).rejects.toMatchObject({
      code: "SLOT_NOT_FOUND",
    });
  });
});

test("payment, reschedule and cancel return the changed booking", async () => {
  const { store } = open();
  const [from, to] = [await database.slot(0), await database.slot(1)];
  const { id } = (await store.createBooking(await request(from))).booking;

  expect(await store.recordPayment(id, "pi", true)).toMatchObject({
    paymentStatus: "captured",
    booking: { id, status: "confirmed", paymentIntentId: "pi", holdExpiresAt: null },
  });
  expect(await store.rescheduleBooking(id, to, "vendor:1")).toMatchObject({ id, slotId: to });
  expect(await store.cancelBooking(id, "customer:c")).toMatchObject({ id, status: "cancelled" });
});

test("only a booking's customer and vendor can change it", async () => {
  const { store } = open();
  const [slot, other] = [await database.slot(0), await database.slot(1)];
  const { id } = (await store.createBooking(await request(slot))).booking;
  for (const actor of ["customer:d", "vendor:2", "customer:1", "vendor:c", "system:c", "", "c"]) {
    await expect(store.cancelBooking(id, actor)).rejects.toMatchObject({ code: "BK010" });
    await expect(store.rescheduleBooking(id, other, actor)).rejects.toMatchObject({
      code: "BK010",
      message: "That is not yours to change",
    });
  }
  expect((await store.findBooking(id)).booking).toMatchObject({ status: "pending", slotId: slot });
});

test("a refund is due until it is recorded", async () => {
  const { store } = open();
  const { id } = (await store.createBooking(await request(await database.slot(0)))).booking;
  await store.recordPayment(id, "pi", true);
  expect(await store.refundsDue()).toEqual([]);
  await store.recordRefund("pi"); // Not due: it stays as it is.
  await store.cancelBooking(id, "customer:c");
  expect(await store.refundsDue()).toEqual(["pi"]);
  await store.recordRefund("pi");
  expect(await store.refundsDue()).toEqual([]);
  expect(await row(database.pool, "select status from payments")).toEqual({ status: "refunded" });
});

test("freeSlots returns the slots that a create can book, in order", async () => {
  const { store } = open();
  const [later, earlier] = [await database.slot(7), await database.slot(5)];
  const withdrawn = await database.slot(6);
  await row(database.pool, "select withdraw_slot($1)", [withdrawn]);
  await database.slot(-100);
  await database.slot(5, 6, "2");
  await claim(database.pool, { slot: await database.slot(1, 3) });
  await database.slot(2, 4); // overlaps the booked one
  const adjacent = await database.slot(3, 4);

  const free = await store.freeSlots("1");

  expect(free.map(({ id }) => id)).toEqual([adjacent, earlier, later]);
  expect(free[0]).toEqual({
    id: adjacent,
    providerId: "1",
    startAt: expect.any(Date),
    endAt: expect.any(Date),
  });
  expect(await store.freeSlots("99")).toEqual([]);
});

test("a statement that failed with a serialization failure runs again", async () => {
  const { store } = open({ options: "-c default_transaction_isolation=serializable" });
  const slot = await database.slot(0);
  const holder = await database.session();
  await holder.query("begin");
  await claim(holder, { slot, customer: "d" });
  const asking = Promise.allSettled([store.createBooking(await request(slot))]);
  const waits = "select pid from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0";
  while (!(await row(database.pool, waits))["pid"]);
  await holder.query("commit");

  const [{ reason }] = (await asking) as [PromiseRejectedResult];
  expect(reason).toMatchObject({ code: "BK004" });
});

test("ping answers while requests use all connections of the pool", async () => {
  const healthPool = open({ max: 1 }).pool;
  const { pool } = open({ max: 1 });
  const store = postgresStore(pool, healthPool);
  const busy = await pool.connect();
  const request = store.freeSlots("1");
  expect(pool.waitingCount).toBe(1);

  await store.ping();

  busy.release();
  await request;
});

test("a lock that is not granted within the lock timeout is DATABASE_BUSY, and keeps the connection", async () => {
  const { pool, store } = open({ max: 1, lock_timeout: 10 });
  const slot = await database.slot(0);
  const pid = await pidOf(pool);
  const holder = await database.session();
  await holder.query("begin");
  await claim(holder, { slot });

  const error = await store.createBooking(await request(slot)).catch(errorFromPostgres);
  expect(error).toMatchObject({ code: "DATABASE_BUSY", status: 503 });
  expect(await pidOf(pool)).toBe(pid);
});

describe("when a connection dies", () => {
  test("while it is idle, the next statement opens another one", async () => {
    const { pool, store } = open({ max: 1 });
    await store.ping();
    const gone = new Promise((resolve) => pool.once("remove", resolve));
    await terminate(await pidOf(pool));
    await gone;

    await expect(store.ping()).resolves.toBeUndefined();
  });

  test("during a statement, that statement fails as an outage and the pool recovers", async () => {
    const { pool, store } = open({ max: 1 });
    const slot = await database.slot(0);
    const body = await request(slot);
    const holder = await database.session();
    await holder.query("begin");
    await claim(holder, { slot });
    const pid = await pidOf(pool);
    const outcome = store.createBooking(body).catch((error: unknown) => error);
    await database.blocked(pid, outcome);
    await terminate(pid);
    const failure = await outcome;
    await holder.query("rollback");

    expect(errorFromPostgres(failure).code).toBe("DATABASE_UNAVAILABLE");
    expect((await store.createBooking(body)).booking).toMatchObject({ slotId: slot });
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  test("with the whole server, every statement fails as an outage", async () => {
    const server = await startServer(testPostgres);
    const { url } = await server.lease();
    await migrate(url);
    const { store } = open({ connectionString: url });
    await store.ping();
    await server.stop();

    const failure = await store.ping().catch((error: unknown) => error);
    expect(errorFromPostgres(failure).code).toBe("DATABASE_UNAVAILABLE");
  });
});

test("a refusal returns the connection, with no transaction open", async () => {
  const { pool, store } = open({ max: 1 });
  const slot = await database.slot(0);
  const body = await request(slot);
  await store.createBooking(body);
  await expect(store.createBooking(body)).rejects.toMatchObject({ code: "BK004" });
  await expect(store.cancelBooking("99", "customer:c")).rejects.toMatchObject({ code: "BK005" });

  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  expect(
    await row(
      database.pool,
      "select count(*) from pg_stat_activity where state like 'idle in transaction%'",
    ),
  ).toEqual({ count: "0" });
});
