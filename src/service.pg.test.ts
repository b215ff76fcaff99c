import type { FastifyInstance } from "fastify";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseActor, tokensWith } from "./authentication.ts";
import { claim, row, testDatabase } from "./database.fixture.ts";
import { httpGateway } from "./gateway.ts";
import { buildServer } from "./server.ts";
import { startSimulatedGateway } from "./simulated-gateway.ts";
import { postgresStore } from "./store.ts";

const database = testDatabase();
let simulated: Awaited<ReturnType<typeof startSimulatedGateway>>;
let gateway: ReturnType<typeof httpGateway>;
const tokens = tokensWith("a key for the tests of the service");
let server: FastifyInstance;
let url: string;

beforeAll(async () => {
  simulated = await startSimulatedGateway();
  gateway = httpGateway(simulated.url);
  server = buildServer({ store: postgresStore(database.pool), tokens, gateway });
  url = await server.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close();
  await gateway?.close();
  await simulated?.close();
});

type Answer = { code: string; [field: string]: unknown } & {
  booking: Record<string, string>;
  slots: { id: string; startAt: string; endAt: string }[];
};

const paid = { paymentIntentId: "pi_1_1" };
const captured = { type: "payment.captured", intent: "pi_1_1", bookingId: 1 };

/** Sends a request, by default as customer `c`. */
const send = (method: "GET" | "POST", path: string, body?: object, by = "customer:c") =>
  sendTo(`${url}${path}`, method, body, by);

async function sendTo(target: string, method: "GET" | "POST", body?: object, by = "customer:c") {
  const actor = parseActor(by);
  const token = actor && (await tokens.issue(actor));
  const response = await request(target, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  return { status: response.statusCode, body: (await response.body.json()) as Answer };
}

const freeSlots = async () => (await send("GET", "/api/vendors/1/slots")).body.slots;

test("a customer books, pays, moves and cancels over HTTP", async () => {
  await database.slot(0);
  await database.slot(1);
  const [first, second] = await freeSlots();
  const create = {
    providerId: "1",
    startAt: first?.startAt,
    endAt: first?.endAt,
    customerId: "c",
    customerName: "Ada",
    idempotencyKey: "k",
  };

  const created = await send("POST", "/api/bookings/create", create);
  expect(created).toMatchObject({
    status: 201,
    body: {
      code: "CREATED",
      booking: { id: "1", slotId: first?.id, startAt: first?.startAt, status: "pending" },
    },
  });
  const repeated = await send("POST", "/api/bookings/create", create);
  expect(repeated).toEqual({ status: 200, body: created.body });

  expect(
    await send("POST", "/api/bookings/create", { ...create, idempotencyKey: "other" }),
  ).toEqual({
    status: 409,
    body: {
      code: "BOOKING_CONFLICT",
      message: "Slot is not available",
      hint: "Select a different time.",
    },
  });

  const steps = [
    ["/api/bookings/1/confirm", { paymentIntentId: "other" }, 404, "PAYMENT_NOT_FOUND"],
    ["/api/bookings/1/checkout", {}, 200, "CHECKOUT"],
    ["/api/bookings/1/confirm", paid, 402, "PAYMENT_REQUIRED"],
    ["/pay", { card: "declined" }, 200, undefined],
    ["/api/bookings/1/confirm", paid, 402, "PAYMENT_REQUIRED"],
    ["/pay", { card: "ok" }, 200, undefined],
    ["/api/bookings/1/confirm", paid, 200, "CONFIRMED"],
    ["/api/bookings/1/confirm", paid, 200, "CONFIRMED"],
    ["/api/bookings/1/checkout", {}, 409, "BOOKING_NOT_ACTIVE"],
    ["/api/payments/webhook", captured, 200, "RECORDED"],
    ["/api/payments/webhook", { ...captured, bookingId: 99 }, 404, "BOOKING_NOT_FOUND"],
    ["/api/bookings/1/reschedule", { slotId: second?.id }, 200, "RESCHEDULED"],
    ["/api/bookings/1/reschedule", { slotId: "99" }, 404, "SLOT_NOT_FOUND"],
    ["/api/bookings/1/cancel", {}, 200, "CANCELLED"],
    ["/api/bookings/1/cancel", {}, 409, "BOOKING_NOT_ACTIVE"],
    ["/api/bookings/99/cancel", {}, 404, "BOOKING_NOT_FOUND"],
    ["/api/bookings/1/confirm", paid, 409, "PAYMENT_REFUNDED"],
    ["/api/payments/refunds", {}, 200, "SETTLED"],
    ["/api/bookings/1/confirm", paid, 409, "PAYMENT_REFUNDED"],
    ["/api/payments/refunds", {}, 200, "SETTLED"],
  ] as const;
  for (const [path, body, status, code] of steps) {
    const target = path === "/pay" ? `${simulated.url}/intents/pi_1_1/pay` : `${url}${path}`;
    const by = path.startsWith("/api/payments") ? "system:gateway" : "customer:c";
    const answer = await sendTo(target, "POST", body, by);
    expect(answer, path).toMatchObject({ status, ...(code && { body: { code } }) });
  }
  expect(simulated.ledger()).toMatchObject([{ bookingId: "1", status: "captured", refunds: 1 }]);
  expect(await freeSlots()).toEqual([first, second]);
  expect(await send("GET", "/api/bookings/1")).toMatchObject({
    status: 200,
    body: { code: "BOOKING", booking: { id: "1", status: "cancelled" } },
  });
  expect(await send("GET", "/health")).toEqual({ status: 200, body: { code: "OK" } });
});

describe("authorisation", () => {
  const strangers = ["customer:d", "vendor:2", "customer:1", "vendor:c", "system:gateway"];
  const change = [
    ["POST", "/api/bookings/1/cancel", {}],
    ["POST", "/api/bookings/1/reschedule", { slotId: "2" }],
    ["POST", "/api/bookings/1/checkout", {}],
    ["POST", "/api/bookings/1/confirm", paid],
    ["GET", "/api/bookings/1", undefined],
  ] as const;

  test.each(
    change,
  )("%s %s is for the booking's customer and vendor", async (method, path, body) => {
    const { id } = await claim(database.pool, { slot: await database.slot(0) });
    await database.slot(1);
    const before = await row(database.pool, "select * from bookings");
    for (const by of strangers) {
      expect(await send(method, path, body, by)).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN" },
      });
    }
    expect(await send(method, path, body, "nobody")).toMatchObject({
      status: 401,
      body: { code: "UNAUTHENTICATED" },
    });
    expect(await row(database.pool, "select * from bookings")).toEqual(before);
    expect((await send(method, path, body, "vendor:1")).status).not.toBe(403);
    expect(id).toBe("1");
  });

  test("only systems send events and settle refunds", async () => {
    await claim(database.pool, { slot: await database.slot(0) });
    for (const [path, body] of [
      ["/api/payments/webhook", captured],
      ["/api/payments/refunds", {}],
    ] as const) {
      expect((await send("POST", path, body, "customer:c")).status).toBe(403);
      expect((await send("POST", path, body, "vendor:1")).status).toBe(403);
      expect((await send("POST", path, body, "nobody")).status).toBe(401);
    }
    expect(await row(database.pool, "select count(*) from payments")).toEqual({ count: "0" });
  });

  test("customers book for themselves, vendors on their own calendar", async () => {
    await database.slot(0);
    await database.slot(1);
    const [first, second] = await freeSlots();
    const create = (slot: typeof first, by: string, more: object = {}) =>
      send(
        "POST",
        "/api/bookings/create",
        {
          providerId: "1",
          startAt: slot?.startAt,
          endAt: slot?.endAt,
          customerId: "c",
          customerName: "Ada",
          ...more,
        },
        by,
      );
    for (const by of strangers) expect((await create(first, by)).status).toBe(403);
    expect((await create(first, "nobody")).status).toBe(401);
    expect((await create(first, "customer:c", { createdBy: "vendor" })).status).toBe(403);
    expect((await create(first, "vendor:1", { createdBy: "customer" })).status).toBe(403);
    expect((await create(first, "customer:c")).body.booking).toMatchObject({
      createdBy: "customer",
      status: "pending",
    });
    expect((await create(second, "vendor:1")).body.booking).toMatchObject({
      createdBy: "vendor",
      status: "confirmed",
    });
  });
});

test("refusals of the database have codes of their own", async () => {
  await database.slot(-100);
  await database.slot(0, 1, "2");
  await database.slot(0);
  const slotTimes = async (id: string) => {
    const found = await row(database.pool, "select * from availability_slots where id = $1", [id]);
    return { providerId: "1", startAt: found["start_at"], endAt: found["end_at"] };
  };
  const customer = { customerId: "c", customerName: "Ada" };
  const create = (body: object) => send("POST", "/api/bookings/create", { ...customer, ...body });

  expect((await create(await slotTimes("1"))).body.code).toBe("SLOT_IN_PAST");
  expect((await create({ ...(await slotTimes("3")), providerId: "9" })).body.code).toBe(
    "SLOT_NOT_FOUND",
  );
  await create({ ...(await slotTimes("3")), idempotencyKey: "k" });
  await database.slot(5);
  expect(await create({ ...(await slotTimes("4")), idempotencyKey: "k" })).toMatchObject({
    status: 422,
    body: { code: "IDEMPOTENCY_KEY_REUSED" },
  });
  expect(await send("POST", "/api/bookings/1/reschedule", { slotId: "2" })).toMatchObject({
    status: 422,
    body: { code: "SLOT_PROVIDER_MISMATCH" },
  });
});

test.each([
  "0001-01-01T00:00:00Z",
  "2030-01-01T10:00:00+23:59",
  "0000-01-01T00:00:00Z",
])("a time that JSON Schema allows never causes a 5xx (%s)", async (startAt) => {
  const { status } = await send("POST", "/api/bookings/create", {
    providerId: 1,
    startAt,
    endAt: "2030-01-01T23:59:60Z",
    customerId: "c",
    notes: "c\ud800",
    customerName: "'; drop table bookings; --",
  });

  expect([400, 404]).toContain(status);
});

test("of many concurrent creates of overlapping slots one succeeds, and the others get a conflict", async () => {
  await database.slot(0, 2);
  await database.slot(1, 3);
  const slots = await freeSlots();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => {
      const { startAt, endAt } = slots[i % 2] ?? {};
      const customer = { customerId: `c${i}`, customerName: "Ada" };
      const body = { providerId: "1", startAt, endAt, ...customer };
      return send("POST", "/api/bookings/create", body, `customer:c${i}`);
    }),
  );

  const codes = answers.map(({ status, body }) => `${status} ${body.code}`).sort();
  expect(codes).toEqual(["201 CREATED", ...Array(11).fill("409 BOOKING_CONFLICT")]);
  expect(await database.failures()).toEqual([]);
  expect(await freeSlots()).toEqual([]);
});
