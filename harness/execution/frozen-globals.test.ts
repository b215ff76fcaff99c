import crypto, { randomBytes, randomInt, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { realNow } from "../core/real-clock.ts";
import { FrozenValues, installFreezing, withFrozen } from "./frozen-globals.ts";

const TIME = "2030-03-04T09:00:00.000Z";
const frozen = <T>(work: () => T, seed = "client 0") =>
  withFrozen(new FrozenValues(TIME, seed), work);

const restore = installFreezing();

afterAll(() => {
  const patched = [Date, Date.now, performance.now, Math.random, crypto.randomBytes];
  restore();
  const now = [Date, Date.now, performance.now, Math.random, crypto.randomBytes];
  expect(now.filter((value) => patched.includes(value))).toEqual([]);
});

/** Everything that is frozen or seeded, read once. */
function readings() {
  const array = crypto.getRandomValues(new Uint32Array(3));
  return {
    dates: [new Date().toISOString(), new Date(Date.now()).toISOString(), performance.now()],
    numbers: [Math.random(), randomInt(1_000_000), randomInt(5, 1_000_000)],
    bytes: [
      randomBytes(8).toString("hex"),
      crypto.randomFillSync(Buffer.alloc(8)).toString("hex"),
      [...array],
      [...globalThis.crypto.getRandomValues(new Uint8Array(8))],
    ],
    ids: [randomUUID(), crypto.randomUUID(), globalThis.crypto.randomUUID()],
  };
}

test("the clock stands, and a seed determines all random values", () => {
  const first = frozen(readings);
  expect(first.dates).toEqual([TIME, TIME, 0]);
  expect(frozen(readings)).toEqual(first);
  const other = frozen(readings, "client 1");
  expect(other.numbers).not.toEqual(first.numbers);
  expect(new Set([...first.ids, ...other.ids]).size).toBe(6);
  for (const id of first.ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab]/);
});

test("they stay so after waits, which take the real time", async () => {
  const began = realNow();
  const after = await frozen(async () => {
    await delay(20);
    return [Date(), new Date().toISOString()];
  });
  expect(after).toEqual([new Date(TIME).toString(), TIME]);
  // Node's timers may be early by less than a millisecond.
  expect(realNow() - began).toBeGreaterThan(18);
});

test("callbacks get random values too", async () => {
  const draw = () =>
    frozen(
      () =>
        new Promise((resolve) => {
          randomBytes(4, (_, bytes) =>
            randomInt(100, (__, n) => resolve([bytes.toString("hex"), n])),
          );
        }),
    );
  expect(await draw()).toEqual(await draw());
});

test("other code has the clock, and chance", () => {
  frozen(() => {});
  const before = realNow();

  expect(new Date().toISOString()).not.toBe(TIME);
  expect(readings().ids).not.toEqual(readings().ids);
  expect(performance.now()).toBeGreaterThanOrEqual(before);
});

test("dates are dates", () => {
  const [now, given, parts] = frozen(
    () => [new Date(), new Date(5), new Date(2020, 1, 2)] as const,
  );
  for (const date of [now, given, parts]) expect(date).toBeInstanceOf(Date);
  expect(given.getTime()).toBe(5);
  expect(parts.getFullYear()).toBe(2020);
  expect(now.constructor).toBe(Date);
  class Later extends Date {}
  expect(frozen(() => new Later()).toISOString()).toBe(TIME);
  expect(Date.UTC(2030, 0)).toBe(Date.parse("2030-01-01"));
});

test("random numbers are spread evenly", () => {
  const values = new FrozenValues(TIME, "seed");
  const counts = Array.from({ length: 10 }, () => 0);
  for (let left = 10_000; left > 0; left--) {
    const at = Math.floor(values.fraction() * 10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
