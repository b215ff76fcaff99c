import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { startUngated, type UngatedBooking } from "./booking-system.fixture.ts";
import { invariants } from "./invariants.ts";
import type { BookingOperation, Create, Via } from "./operations.ts";
import { codes } from "./responses.ts";
import { scenarios } from "./scenarios.ts";
import { ADJACENT, at, EXPIRY_TIME, initialState, type SlotPlan } from "./state.ts";

let server: Server;
let service: UngatedBooking;

beforeAll(async () => {
  server = await startServer(testPostgres);
  service = await startUngated(server);
});

afterAll(async () => {
  await service.stop();
  await server.stop();
});

const slot = (plan: Partial<SlotPlan>): SlotPlan => ({
  sameProvider: true,
  gap: ADJACENT,
  past: false,
  outcome: "free",
  ...plan,
});

/** Slots 1 and 2 are free; slot 3 has booking 1, which is pending; slot 4 is the other provider's. */
const initial = initialState([
  slot({}),
  slot({}),
  slot({ outcome: "pending" }),
  slot({ sameProvider: false }),
]);

const create = (via: Via, id: number, more: Partial<Create> = {}): BookingOperation => ({
  name: "create",
  via,
  slot: { id },
  customer: "customer-9",
  customerName: `Zoë "Z" O'Neil 🦓`,
  notes: "a\\b;\n-- c",
  createdBy: "customer",
  ...more,
});

const perform = (operation: BookingOperation, client = 0) =>
  service.system.perform(operation, client);

beforeEach(() => service.system.reset(initial));

describe.each(["http", "function"] as const)("over %s", (via) => {
  const status = (code: number) => (via === "http" ? { status: code } : {});

  test("create, and its repeat with the same key", async () => {
    const made = {
      id: "2",
      slotId: "1",
      providerId: "1",
      status: "pending",
      startAt: at(0),
      endAt: at(2),
      customerId: "customer-9",
      idempotencyKey: "key-1",
      paymentIntentId: "pi_1",
      createdBy: "customer",
    };
    const operation = create(via, 1, { idempotencyKey: "key-1", paymentIntentId: "pi_1" });
    const ok = { outcome: "ok", code: "CREATED", body: made };
    expect(await perform(operation)).toEqual({ ...ok, ...status(201) });
    expect(await perform(operation)).toEqual({ ...ok, ...status(200) });
    const { rows } = await service.beside.query(
      "select customer_name, notes from bookings where id = 2",
    );
    expect(rows).toEqual([{ customer_name: `Zoë "Z" O'Neil 🦓`, notes: "a\\b;\n-- c" }]);
  });

  test("create as a vendor", async () => {
    const response = await perform(create(via, 1, { createdBy: "vendor" }));
    expect(response).toMatchObject({ body: { status: "confirmed", createdBy: "vendor" } });
  });

  test("create is refused: taken, wrong provider", async () => {
    expect(await perform(create(via, 3))).toEqual({
      outcome: "fail",
      code: "BOOKING_CONFLICT",
      body: null,
      ...status(409),
    });
    expect(await perform(create(via, 1, { provider: 2 }))).toMatchObject({
      outcome: "fail",
      // Over HTTP provider and times identify a slot.
      code: via === "http" ? "SLOT_NOT_FOUND" : "SLOT_PROVIDER_MISMATCH",
    });
  });

  test("payment, reschedule, cancel", async () => {
    const booking = { id: 1 };
    const paid = { booking, attempt: 2 } as const;
    const webhook = { name: "webhook", via, ...paid, captured: true } as const;
    expect(await perform(webhook)).toEqual({
      outcome: "ok",
      code: "RECORDED",
      body: null,
      ...status(200),
    });
    expect(await perform({ name: "confirm", via: "http", ...paid })).toMatchObject({
      outcome: "ok",
      code: "CONFIRMED",
      body: { status: "confirmed", paymentIntentId: "pi_1_2" },
    });
    expect(await perform({ name: "reschedule", via, booking, slot: { id: 2 } })).toMatchObject({
      outcome: "ok",
      code: "RESCHEDULED",
      body: { slotId: "2", startAt: at(2) },
    });
    expect(await perform({ name: "cancel", via, booking })).toMatchObject({
      outcome: "ok",
      code: "CANCELLED",
      body: { status: "cancelled" },
    });
    expect(await perform({ name: "cancel", via, booking })).toMatchObject({
      outcome: "fail",
      code: "BOOKING_NOT_ACTIVE",
    });
    expect(await perform({ ...webhook, booking: { id: 9 } })).toMatchObject({
      outcome: "fail",
      code: "BOOKING_NOT_FOUND",
    });
  });

  test("a refusal keeps the connection", async () => {
    const sessions = `select array_agg(pid order by pid) as pids from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend'`;
    const before = await service.beside.query(sessions);
    expect(await perform(create(via, 3))).toMatchObject({ code: "BOOKING_CONFLICT" });
    expect((await service.beside.query(sessions)).rows).toEqual(before.rows);
  });

  test("a connection that is killed leaves the outcome unknown", async () => {
    await service.beside.query("begin");
    await service.beside.query("select from bookings where id = 1 for update");
    const response = perform({ name: "cancel", via, booking: { id: 1 } });
    // Repeated in one statement: during deadlock detection the backend does not count as waiting.
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await service.beside.query(kill)).rowCount).toBe(1);
    await service.beside.query("rollback");
    expect(await response).toMatchObject({
      outcome: "info",
      code: via === "http" ? "DATABASE_UNAVAILABLE" : "CONNECTION_LOST",
    });
    expect(await perform({ name: "cancel", via, booking: { id: 1 } })).toMatchObject({
      code: "CANCELLED",
    });
  });

  test("clients refer to what they made", async () => {
    const cancel: BookingOperation = { name: "cancel", via, booking: { own: 0 } };
    expect(await perform(cancel)).toEqual({ outcome: "fail", code: "NO_BOOKING", body: null });
    await perform(create(via, 1), 0);
    await perform(create(via, 2), 1);
    expect(await perform(cancel, 1)).toMatchObject({ code: "CANCELLED", body: { id: "3" } });
  });
});

test.each([
  ["http", "nobody", "UNAUTHENTICATED"],
  ["http", "customer:customer-2", "FORBIDDEN"],
  ["http", "vendor:2", "FORBIDDEN"],
  ["http", "system:gateway", "FORBIDDEN"],
  ["function", "nobody", "FORBIDDEN"],
  ["function", "vendor:2", "FORBIDDEN"],
] as const)("over %s, %s changes nothing of others: %s", async (via, by, code) => {
  const booking = { id: 1 };
  const before = await service.system.contents?.();
  const refusal = { outcome: "fail", code };
  expect(await perform({ name: "cancel", via, booking, by })).toMatchObject(refusal);
  const reschedule = { name: "reschedule", via, booking, slot: { id: 2 }, by } as const;
  expect(await perform(reschedule)).toMatchObject(refusal);
  if (via === "http") {
    const confirm = { name: "confirm", via, booking, attempt: 1, by } as const;
    expect(await perform(confirm)).toMatchObject(refusal);
    expect(await perform(create(via, 1, { by }))).toMatchObject(refusal);
    if (by !== "system:gateway") {
      const webhook = { name: "webhook", via, booking, attempt: 1, captured: true, by } as const;
      expect(await perform(webhook)).toMatchObject(refusal);
      expect(await perform({ name: "refund", via, by })).toMatchObject(refusal);
    }
  }
  expect(await service.system.contents?.()).toEqual(before);
});

test.each(["http", "function"] as const)("over %s, a vendor may cancel", async (via) => {
  const cancel = { name: "cancel", via, booking: { id: 1 }, by: "vendor:1" } as const;
  expect(await perform(cancel)).toMatchObject({ code: "CANCELLED" });
});

test("publish, create on what was published, withdraw", async () => {
  const { providers } = initial;
  const publish: BookingOperation = {
    name: "publish",
    via: "function",
    provider: providers.length,
    startAt: at(96),
    endAt: at(98),
  };
  expect(await perform(publish)).toEqual({
    outcome: "ok",
    code: "PUBLISHED",
    body: { id: "5", providerId: "2", startAt: at(96), endAt: at(98) },
  });
  const withdraw: BookingOperation = { name: "withdraw", via: "function", slot: { own: 0 } };
  expect(await perform(withdraw, 1)).toEqual({ outcome: "fail", code: "NO_SLOT", body: null });
  expect(await perform(create("http", 0, { slot: { own: 0 } }))).toMatchObject({ code: "CREATED" });
  expect(await perform(withdraw)).toMatchObject({ outcome: "fail", code: "SLOT_HAS_BOOKING" });
  expect(await perform({ ...withdraw, slot: { id: 1 } })).toMatchObject({ code: "WITHDRAWN" });
});

test("expire ends the holds that are over at its time", async () => {
  const expire = (time: string): BookingOperation => ({
    name: "expire",
    via: "function",
    at: time,
  });
  expect(await perform(expire(EXPIRY_TIME))).toMatchObject({ body: { expired: 0 } });
  await perform(create("http", 1));
  expect(await perform(expire("2099-12-31T00:00:00Z"))).toEqual({
    outcome: "ok",
    code: "EXPIRED",
    body: { expired: 2 },
  });
});

test("the payment of a cancelled booking is refunded once", async () => {
  const booking = { id: 1 };
  const confirm = { name: "confirm", via: "http", booking, attempt: 1 } as const;
  expect(await perform({ ...confirm, attempt: 3 })).toMatchObject({
    outcome: "fail",
    code: "PAYMENT_REQUIRED",
  });
  await perform({ name: "cancel", via: "http", booking: { id: 1 } });
  expect(await perform(confirm)).toMatchObject({ outcome: "fail", code: "PAYMENT_REFUNDED" });
  for (const _ of [1, 2]) {
    expect(await perform({ name: "refund", via: "http" })).toEqual({
      outcome: "ok",
      code: "SETTLED",
      body: null,
      status: 200,
    });
  }
  const { ledger } = await service.system.observe();
  expect(ledger).toEqual([{ intent: "pi_1_1", status: "refunded", refunds: 1 }]);
});

test("list shows a provider's free slots", async () => {
  expect(await perform({ name: "list", via: "http", provider: 1 })).toEqual({
    outcome: "ok",
    code: "SLOTS",
    status: 200,
    body: [
      { id: "1", providerId: "1", startAt: at(0), endAt: at(2) },
      { id: "2", providerId: "1", startAt: at(2), endAt: at(4) },
    ],
  });
});

test("observe returns every check, and offending rows if there are any", async () => {
  const passing = await service.system.observe();
  expect(passing["checks"]?.map((row) => row["check_name"])).toEqual(
    invariants.slice(0, 7).map(({ name }) => name),
  );
  expect(passing["offending"]).toBeUndefined();
  expect(invariants.flatMap(({ check }) => check(passing))).toEqual([]);

  await service.beside.query("update availability_slots set is_available = true where id = 3");
  const failing = await service.system.observe();
  expect(invariants.flatMap(({ check }) => check(failing))).toMatchObject([
    { name: "booking_without_claimed_slot", evidence: [{ slot_id: "3", booking_id: "1" }] },
  ]);
});

test("in serial runs every scenario gets known codes and violates no invariant", async () => {
  const sample = fc.sample(scenarios({ minClients: 2, maxClients: 4 }), { numRuns: 150, seed: 3 });
  for (const { initial, clients } of sample) {
    await service.system.reset(initial);
    for (const [client, operations] of clients.entries()) {
      for (const operation of operations) {
        const { code } = await perform(operation, client);
        expect(codes[operation.name]).toContain(code);
      }
    }
    const snapshot = await service.system.observe();
    expect(invariants.flatMap(({ check }) => check(snapshot))).toEqual([]);
  }
});
