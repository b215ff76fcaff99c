import type { FastifyInstance } from "fastify";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { row, testDatabase } from "./database.fixture.ts";
import { httpGateway } from "./gateway.ts";
import { buildServer } from "./server.ts";
import { startSimulatedGateway } from "./simulated-gateway.ts";
import { postgresStore } from "./store.ts";

const database = testDatabase();
let simulated: Awaited<ReturnType<typeof startSimulatedGateway>>;
let gateway: ReturnType<typeof httpGateway>;
let server: FastifyInstance;
let url: string;

beforeAll(async () => {
  simulated = await startSimulatedGateway();
  gateway = httpGateway(simulated.url);
  server = buildServer({ store: postgresStore(database.pool), gateway });
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

const send = (method: "GET" | "POST", path: string, body?: object) =>
  sendTo(`${url}${path}`, method, body);

async function sendTo(target: string, method: "GET" | "POST", body?: object) {
  const response = await request(target, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  return { status: response.statusCode, body: (await response.body.json()) as Answer };
}

const freeSlots = async () => (await send("GET", "/api/vendors/1/slots")).body.slots;

test("a customer's way, over HTTP", async () => {
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
    const answer = await sendTo(target, "POST", body);
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

test("the refusals that only the database can give have their own codes", async () => {
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
])("a time that JSON Schema allows is never a 5xx (%s)", async (startAt) => {
  const { status } = await send("POST", "/api/bookings/create", {
    providerId: 1,
    startAt,
    endAt: "2030-01-01T23:59:60Z",
    customerId: "c\ud800",
    customerName: "'; drop table bookings; --",
  });

  expect([400, 404]).toContain(status);
});

test("of many who want overlapping slots, one gets one, and the others are told", async () => {
  await database.slot(0, 2);
  await database.slot(1, 3);
  const slots = await freeSlots();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => {
      const { startAt, endAt } = slots[i % 2] ?? {};
      const customer = { customerId: `c${i}`, customerName: "Ada" };
      return send("POST", "/api/bookings/create", { providerId: "1", startAt, endAt, ...customer });
    }),
  );

  const codes = answers.map(({ status, body }) => `${status} ${body.code}`).sort();
  expect(codes).toEqual(["201 CREATED", ...Array(11).fill("409 BOOKING_CONFLICT")]);
  expect(await database.failures()).toEqual([]);
  expect(await freeSlots()).toEqual([]);
});
