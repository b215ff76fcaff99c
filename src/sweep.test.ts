import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PaymentGateway } from "./gateway.ts";
import type { BookingStore } from "./store.ts";
import { sweepEvery } from "./sweep.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const gateway = { refund: async () => {} } as unknown as PaymentGateway;

function storeWith(expireHolds: () => Promise<number>) {
  const done: string[] = [];
  const store = {
    expireHolds: () => expireHolds().finally(() => done.push("expired")),
    refundsDue: async () => ["pi"],
    recordRefund: async (intent: string) => void done.push(intent),
  };
  return { done, store: store as unknown as BookingStore };
}

test("expires holds and settles refunds again and again, until it is stopped", async () => {
  const { done, store } = storeWith(async () => 1);
  const stop = sweepEvery(1_000, store, gateway, () => expect.unreachable());
  await vi.advanceTimersByTimeAsync(999);
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(done).toEqual(["expired", "pi", "expired", "pi"]);
  await stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(done).toHaveLength(4);
});

test("reports a failure, and continues with the next sweep", async () => {
  let calls = 0;
  const outage = new Error("no database");
  const { done, store } = storeWith(async () => {
    if (calls++ === 0) throw outage;
    return 0;
  });
  const failures: unknown[] = [];
  const stop = sweepEvery(1_000, store, gateway, (error) => failures.push(error));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(failures).toEqual([outage]);
  expect(done).toEqual(["expired", "expired", "pi"]);
  await stop();
});

test("stops once the sweep under way has ended", async () => {
  let finish = (_: number) => {};
  const { done, store } = storeWith(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const stop = sweepEvery(1_000, store, gateway, () => expect.unreachable());
  await vi.advanceTimersByTimeAsync(1_000);
  const stopped = stop();
  finish(0);
  await stopped;
  expect(done).toEqual(["expired", "pi"]);
});
