import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { httpGateway, noGateway } from "./gateway.ts";
import { type LedgerEntry, startSimulatedGateway } from "./simulated-gateway.ts";
import { settleRefunds } from "./sweep.ts";

/** The service that receives the events. */
const service = createServer((incoming, answer) => {
  void text(incoming).then((body) => {
    events.push(JSON.parse(body));
    answer.end("{}");
    service.emit("event");
  });
});
let events: unknown[] = [];
let simulated: Awaited<ReturnType<typeof startSimulatedGateway>>;
let gateway: ReturnType<typeof httpGateway>;
let impatient: typeof gateway;
let url: string;

beforeEach(async () => {
  events = [];
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  simulated = await startSimulatedGateway({ delayMs: 60_000, service: () => url });
  gateway = httpGateway(simulated.url);
  impatient = httpGateway(simulated.url, 250);
});
afterEach(async () => {
  await impatient.close();
  await gateway.close();
  await simulated.close();
  service.closeAllConnections();
  service.close();
});

const refundsOf = () => simulated.ledger().map(({ refunds }) => refunds);
const unavailable = { code: "GATEWAY_UNAVAILABLE", status: 503 };

async function pay(intent: string, card: LedgerEntry["card"]): Promise<number> {
  const { statusCode, body } = await request(`${simulated.url}/intents/${intent}/pay`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ card }),
  });
  await body.dump();
  return statusCode;
}

test("opening a booking twice returns the same intent", async () => {
  const intent = await gateway.open(7);
  expect(intent).toMatchObject({ bookingId: "7", status: "open" });
  expect(await gateway.open("7")).toEqual(intent);
  expect((await gateway.open(8)).id).not.toBe(intent.id);
  expect(await gateway.find(intent.id)).toEqual(intent);
  expect(await gateway.find("../other?")).toBeUndefined();
});

describe("a card", () => {
  test.each([
    ["ok", "captured", 1],
    ["declined", "declined", 1],
    ["repeated", "captured", 2],
  ] as const)("%s: %s, with as many events: %i", async (card, status, count) => {
    const { id } = await gateway.open(7);
    await pay(id, card);
    expect(await gateway.find(id)).toMatchObject({ status });
    while (events.length < count) await once(service, "event");
    expect(events).toEqual(
      Array(count).fill({ type: `payment.${status}`, intent: id, bookingId: "7" }),
    );
  });

  test("that is late sends its event after those of other cards", async () => {
    const [late, next] = [await gateway.open(7), await gateway.open(8)];
    await pay(late.id, "late");
    await pay(next.id, "ok");
    await once(service, "event");
    expect(events).toMatchObject([{ intent: next.id }]);

    await simulated.close();
    simulated = await startSimulatedGateway({ delayMs: 1, service: () => url });
    simulated.reset([{ intent: "pi", bookingId: "7", status: "open", card: "ok", refunds: 0 }]);
    await pay("pi", "late");
    await once(service, "event");
    expect(events).toMatchObject([{ intent: next.id }, { intent: "pi" }]);
  });

  test("that is silent pays without an event", async () => {
    const { id } = await gateway.open(7);
    await pay(id, "silent");
    await simulated.close();
    expect(events).toEqual([]);
  });

  test("that was declined may be followed by another; a captured payment stays captured", async () => {
    const { id } = await gateway.open(7);
    await pay(id, "declined");
    await pay(id, "ok");
    await pay(id, "declined");
    simulated.settle(id, "7", false);
    expect(await gateway.find(id)).toMatchObject({ status: "captured" });
    expect(await pay("pi_none", "ok")).toBe(404);
  });
});

describe("a refund", () => {
  test("is made once, however often it is requested", async () => {
    const { id } = await gateway.open(7);
    await expect(gateway.refund(id)).rejects.toMatchObject(unavailable);
    await pay(id, "ok");
    await gateway.refund(id);
    await gateway.refund(id);
    expect(refundsOf()).toEqual([1]);
  });

  test.each(["lost", "slow"] as const)("whose answer is %s is made once", async (card) => {
    const { id } = await gateway.open(7);
    await pay(id, card);
    await expect(impatient.refund(id)).rejects.toMatchObject(unavailable);
    await gateway.refund(id);
    expect(refundsOf()).toEqual([1]);
  });

  test("without an idempotency key is made again", async () => {
    simulated.reset([{ intent: "pi", bookingId: "7", status: "captured", card: "ok", refunds: 0 }]);
    for (const _ of [1, 2]) {
      await (await request(`${simulated.url}/intents/pi/refunds`, { method: "POST" })).body.dump();
    }
    expect(refundsOf()).toEqual([2]);
  });
});

test("a refund without an answer stays due, and the others are made", async () => {
  const due = new Set(["pi_1", "pi_2", "pi_3"]);
  simulated.reset(
    [...due].map((intent, index) => ({
      intent,
      bookingId: "7",
      status: "captured",
      card: index === 1 ? "lost" : "ok",
      refunds: 0,
    })),
  );
  const store = {
    refundsDue: async () => [...due],
    recordRefund: async (intent: string) => void due.delete(intent),
  };
  expect(await settleRefunds(store, gateway)).toEqual({ refunded: 2, due: 1 });
  expect(await settleRefunds(store, gateway)).toEqual({ refunded: 1, due: 0 });
  expect(refundsOf()).toEqual([1, 1, 1]);

  const broken = { ...store, refundsDue: async () => ["pi_1"], recordRefund: Promise.reject };
  await expect(settleRefunds(broken, gateway)).rejects.toThrow(TypeError);
});

test("a gateway that is slow, gone or not configured is GATEWAY_UNAVAILABLE", async () => {
  simulated.reset([{ intent: "pi", bookingId: "7", status: "captured", card: "slow", refunds: 0 }]);
  await expect(impatient.find("pi")).rejects.toMatchObject(unavailable);
  await simulated.close();
  await expect(gateway.find("pi")).rejects.toMatchObject(unavailable);
  await expect(noGateway.open(1)).rejects.toMatchObject(unavailable);
  await expect(noGateway.find("pi")).rejects.toMatchObject(unavailable);
  await expect(noGateway.refund("pi")).rejects.toMatchObject(unavailable);
});
