import { MockAgent } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { performOverHttp } from "./http.ts";

const ORIGIN = "http://booking";
const cancel = { name: "cancel", via: "http", booking: 1, by: "vendor:1" } as const;

let agent: MockAgent;

beforeEach(() => {
  agent = new MockAgent();
  agent.disableNetConnect();
});

afterEach(() => agent.close());

function answered(status: number, body: string) {
  const service = agent.get(ORIGIN);
  service.intercept({ path: "/api/bookings/1/cancel", method: "POST" }).reply(status, body);
  return performOverHttp(service, cancel, async (actor) => `token of ${actor}`);
}

test("a success has the fields that are the same in every run", async () => {
  const booking = { id: "1", slotId: "2", status: "cancelled", createdAt: "just now", notes: "" };
  const response = await answered(200, JSON.stringify({ code: "CANCELLED", booking }));
  expect(response).toMatchObject({ outcome: "ok", code: "CANCELLED", status: 200 });
  expect(response.body).toEqual({
    id: "1",
    slotId: "2",
    status: "cancelled",
    providerId: null,
    startAt: null,
    endAt: null,
    customerId: null,
    idempotencyKey: null,
    paymentIntentId: null,
    createdBy: null,
  });
});

test("a request has its sender's token; nobody has none", async () => {
  const service = agent.get(ORIGIN);
  const seen: unknown[] = [];
  const path = "/api/bookings/1/cancel";
  service
    .intercept({ path, method: "POST" })
    .reply(200, ({ headers }) => {
      seen.push((headers as Record<string, string>)["authorization"]);
      return "{}";
    })
    .times(2);
  await performOverHttp(service, cancel, async (actor) => `token of ${actor}`);
  await performOverHttp(service, cancel, async () => undefined);
  expect(seen).toEqual(["Bearer token of vendor:1", undefined]);
});

test("a 4xx is a failure, which had no effect", async () => {
  const refusal = JSON.stringify({ code: "BOOKING_NOT_FOUND", message: "…", hint: "…" });
  expect(await answered(404, refusal)).toEqual({
    outcome: "fail",
    code: "BOOKING_NOT_FOUND",
    status: 404,
    body: null,
  });
});

test("a server error leaves the outcome unknown", async () => {
  expect(await answered(500, JSON.stringify({ code: "INTERNAL_ERROR" }))).toEqual({
    outcome: "info",
    code: "INTERNAL_ERROR",
    status: 500,
    body: null,
  });
});

test.each([
  "<html>",
  "null",
  '"text"',
  "[]",
])("an answer without a code gets one from its status: %s", async (body) => {
  expect(await answered(404, body)).toMatchObject({ code: "HTTP_404" });
});

test("no answer leaves the outcome unknown", async () => {
  const service = agent.get(ORIGIN);
  service
    .intercept({ path: "/api/bookings/1/cancel", method: "POST" })
    .replyWithError(new Error("other side closed"));
  expect(await performOverHttp(service, cancel, async (actor) => `token of ${actor}`)).toEqual({
    outcome: "info",
    code: "CONNECTION_LOST",
    body: null,
  });
});
