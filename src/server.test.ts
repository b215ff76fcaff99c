import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { actorText, parseActor, type Tokens } from "./authentication.ts";
import type { Booking } from "./booking.ts";
import { ServiceError } from "./errors.ts";
import { buildServer } from "./server.ts";
import type { BookingStore } from "./store.ts";

const booking = {
  id: "7",
  customerId: "c",
  startAt: new Date("2030-01-01T10:00:00Z"),
} as unknown as Booking;

/** Tokens that contain their actor in plain text. */
const tokens: Tokens = {
  issue: async (actor) => actorText(actor),
  read: async (t) => parseActor(t),
};

const request = {
  providerId: "1",
  startAt: "2030-01-01T10:00:00Z",
  endAt: "2030-01-01T11:00:00.000+01:00",
  customerId: "c",
  customerName: "Ada",
};

/** A server on a store whose methods succeed unless they are replaced. */
function service(methods: Partial<BookingStore> = {}) {
  const store = {
    createBooking: vi.fn(async () => ({ booking, created: true })),
    findProvider: vi.fn(async () => ({ id: "1", name: "Ada" })),
    findBooking: vi.fn(async () => ({ booking, holdOver: false })),
    recordPayment: vi.fn(async () => ({ paymentStatus: "captured" as const, booking })),
    refundsDue: vi.fn(async () => []),
    recordRefund: vi.fn(async () => {}),
    expireHolds: vi.fn(async () => 0),
    cancelBooking: vi.fn(async () => booking),
    rescheduleBooking: vi.fn(async () => booking),
    freeSlots: vi.fn(async () => []),
    ping: vi.fn(async () => {}),
    ...methods,
  };
  return { store, server: buildServer({ store, tokens }) };
}

/** Sends a request. A `body` that is no string is sent as JSON. */
async function send(
  method: "GET" | "POST",
  url: string,
  body?: unknown,
  { headers = {}, ...methods }: Partial<BookingStore> & { headers?: Record<string, string> } = {},
) {
  const { server, store } = service(methods);
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const response = await server.inject({
    method,
    url,
    ...(body === undefined ? {} : { payload }),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      authorization: `Bearer ${url.startsWith("/api/payments") ? "system:gateway" : "customer:c"}`,
      ...headers,
    },
  });
  const called = Object.values(store).filter((fn) => vi.isMockFunction(fn) && fn.mock.calls.length);
  return { status: response.statusCode, body: response.json(), called: called.length, store };
}

const outcome = ({ status, body }: { status: number; body: { code: string } }) => [
  status,
  body.code,
];

describe("answers", () => {
  test("a create with 201, and its repeat with 200", async () => {
    const first = await send("POST", "/api/bookings/create", request);
    expect(outcome(first)).toEqual([201, "CREATED"]);
    expect(first.body.booking).toMatchObject({ id: "7", startAt: "2030-01-01T10:00:00.000Z" });
    expect(first.store.createBooking).toHaveBeenCalledWith({ ...request, createdBy: "customer" });

    const createBooking = async () => ({ booking, created: false });
    const repeat = await send("POST", "/api/bookings/create", request, { createBooking });
    expect(outcome(repeat)).toEqual([200, "CREATED"]);
  });

  test.each([
    ["/api/payments/refunds", {}, "SETTLED"],
    ["/api/payments/webhook", { type: "payment.declined", intent: "pi", bookingId: 7 }, "RECORDED"],
    ["/api/bookings/7/cancel", {}, "CANCELLED"],
    ["/api/bookings/7/reschedule", { slotId: "9" }, "RESCHEDULED"],
    ["/api/bookings/7/reschedule", { slotId: 9 }, "RESCHEDULED"],
    ["/api/bookings/9223372036854775807/cancel", {}, "CANCELLED"],
  ])("POST %s %o", async (url, body, code) => {
    expect(outcome(await send("POST", url, body))).toEqual([200, code]);
  });

  test.each([
    ["/api/vendors/1/slots", { code: "SLOTS", slots: [] }],
    ["/api/bookings/7", { code: "BOOKING", booking: { id: "7" } }],
    ["/health", { code: "OK" }],
  ])("GET %s", async (url, body) => {
    expect(await send("GET", url)).toMatchObject({ status: 200, body });
  });
});

describe("refuses without a call of the store", () => {
  test.each([
    ["no body", undefined],
    ["null", null],
    ["a list", [request]],
    ["broken JSON", '{"providerId": '],
    ["an empty text", ""],
    ["a missing field", { ...request, customerName: undefined }],
    ["an unknown field", { ...request, status: "confirmed" }],
    ["a polluted prototype", '{"__proto__": {"admin": true}}'],
    ["an id that is no number", { ...request, providerId: "1; drop table bookings" }],
    ["an id with a sign", { ...request, providerId: "-1" }],
    ["the id 0", { ...request, providerId: 0 }],
    ["a fraction for an id", { ...request, providerId: 1.5 }],
    ["an id beyond bigint", { ...request, providerId: "9223372036854775808" }],
    ["an id that a JSON number cannot hold exactly", { ...request, providerId: 2 ** 53 }],
    ["a time without a zone", { ...request, startAt: "2030-01-01T10:00:00" }],
    ["a day that does not exist", { ...request, startAt: "2030-02-30T10:00:00Z" }],
    ["a word for a time", { ...request, startAt: "infinity" }],
    ["a number for a time", { ...request, startAt: 1893492000 }],
    ["an empty name", { ...request, customerName: "" }],
    ["a long name", { ...request, customerName: "x".repeat(201) }],
    ["NUL in a text", { ...request, notes: "a\u0000b" }],
    ["a lone high surrogate", { ...request, customerName: "Ada \ud83e" }],
    ["a lone low surrogate", { ...request, notes: "\udd93 " }],
    ["a number for a text", { ...request, customerId: 5 }],
    ["an unknown creator", { ...request, createdBy: "admin" }],
  ])("a create with %s", async (_what, body) => {
    const response = await send("POST", "/api/bookings/create", body);

    expect(response).toMatchObject({ status: 400, called: 0 });
    expect(response.body).toEqual({
      code: "VALIDATION_ERROR",
      message: expect.any(String),
      hint: expect.any(String),
    });
  });

  test.each([
    ["POST", "/api/bookings/abc/cancel", {}, 400, "VALIDATION_ERROR"],
    ["POST", "/api/bookings/9223372036854775808/cancel", {}, 400, "VALIDATION_ERROR"],
    ["POST", "/api/bookings/7/cancel", { force: true }, 400, "VALIDATION_ERROR"],
    ["POST", "/api/bookings/7/reschedule", {}, 400, "VALIDATION_ERROR"],
    ["POST", "/api/bookings/7/confirm", { paymentIntentId: 1 }, 400, "VALIDATION_ERROR"],
    ["POST", "/api/bookings/7/confirm", {}, 400, "VALIDATION_ERROR"],
    [
      "POST",
      "/api/payments/webhook",
      { type: "payment.refunded", intent: "pi", bookingId: 7 },
      400,
      "VALIDATION_ERROR",
    ],
    ["GET", "/api/vendors/%E0%A4%A/slots", undefined, 400, "VALIDATION_ERROR"],
    ["GET", "/api/vendors/me/slots", undefined, 400, "VALIDATION_ERROR"],
    ["GET", "/api/bookings/7/cancel", undefined, 404, "NOT_FOUND"],
    ["GET", "/", undefined, 404, "NOT_FOUND"],
  ] as const)("%s %s %o", async (method, url, body, status, code) => {
    const response = await send(method, url, body);

    expect(outcome(response)).toEqual([status, code]);
    expect(response.called).toBe(0);
  });

  test("bodies that are not JSON, and bodies that are too large", async () => {
    const headers = { "content-type": "text/plain" };
    const text = await send("POST", "/api/bookings/create", "hello", { headers });
    expect(outcome(text)).toEqual([415, "VALIDATION_ERROR"]);

    const large = { ...request, notes: "x".repeat(20_000) };
    const response = await send("POST", "/api/bookings/create", large);
    expect(outcome(response)).toEqual([413, "VALIDATION_ERROR"]);
  });
});

describe("reports", () => {
  test("a refusal of the store, with its hint", async () => {
    const cancelBooking = async () => {
      throw new ServiceError("BOOKING_NOT_ACTIVE", "Booking is not active", "It was cancelled.");
    };
    expect(await send("POST", "/api/bookings/7/cancel", {}, { cancelBooking })).toMatchObject({
      status: 409,
      body: {
        code: "BOOKING_NOT_ACTIVE",
        message: "Booking is not active",
        hint: "It was cancelled.",
      },
    });
  });

  test("an internal error, without its message", async () => {
    const ping = async () => {
      throw new Error("secret");
    };
    const { status, body } = await send("GET", "/health", undefined, { ping });

    expect(status).toBe(500);
    expect(Object.keys(body)).toEqual(["code", "message", "hint"]);
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  test("that no gateway is configured", async () => {
    const confirm = await send("POST", "/api/bookings/7/confirm", { paymentIntentId: "pi" });
    expect(outcome(confirm)).toEqual([503, "GATEWAY_UNAVAILABLE"]);
  });

  test("an outage", async () => {
    const ping = async () => {
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    };
    expect(outcome(await send("GET", "/health", undefined, { ping }))).toEqual([
      503,
      "DATABASE_UNAVAILABLE",
    ]);
  });
});

test("a text may have characters beyond the basic plane", async () => {
  const customerName = "Ada 🦓";
  const { store } = await send("POST", "/api/bookings/create", { ...request, customerName });
  expect(store.createBooking).toHaveBeenCalledWith({
    ...{ ...request, customerName },
    createdBy: "customer",
  });
});

const UNFINISHED_REQUEST =
  "POST /api/bookings/create HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" +
  "content-length: 400\r\n\r\n";

test("a request that the client never finishes is ended", async () => {
  const { store } = service();
  const server = buildServer({ store, tokens, requestTimeoutMs: 20 });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  for (const sent of ["POST / HTTP/1.1\r\nhost", `${UNFINISHED_REQUEST}{`]) {
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    let answer = "";
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("error", () => {}).write(sent);
    await once(socket, "close");
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  }
  await server.close();
});

describe("on every answer", () => {
  test("there are security headers, and none that names the server's software", async () => {
    const { server } = service();
    for (const url of ["/health", "/none"]) {
      const { headers } = await server.inject(url);
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringContaining("default-src 'self'"),
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
      });
      expect(headers).not.toHaveProperty("x-powered-by");
    }
  });

  test("a client that sends too many requests gets 429", async () => {
    const { store } = service();
    const server = buildServer({ store, tokens, requestsPerMinute: 2 });
    const ask = (remoteAddress: string) => server.inject({ url: "/health", remoteAddress });
    await ask("10.0.0.1");
    await ask("10.0.0.1");
    const refused = await ask("10.0.0.1");
    expect([refused.statusCode, refused.json()]).toMatchObject([
      429,
      { code: "TOO_MANY_REQUESTS" },
    ]);
    expect((await ask("10.0.0.2")).statusCode).toBe(200);
  });
});
