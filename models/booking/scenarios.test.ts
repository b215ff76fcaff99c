import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BookingOperation } from "./operations.ts";
import { scenarios } from "./scenarios.ts";
import { isActive, overlap } from "./state.ts";

const bounds = { minClients: 2, maxClients: 4 };
const sample = fc.sample(scenarios(bounds), { numRuns: 1000, seed: 1 });

describe("scenarios", () => {
  test("are the same for the same seed, and survive JSON", () => {
    const again = fc.sample(scenarios(bounds), { numRuns: 1000, seed: 1 });
    expect(again).toEqual(sample);
    expect(JSON.parse(JSON.stringify(sample))).toEqual(sample);
  });

  test("have a number of clients within the bounds, each with one to three operations", () => {
    const counts = sample.map(({ clients }) => clients.length);
    expect(new Set(counts)).toEqual(new Set([2, 3, 4]));
    const lengths = sample.flatMap(({ clients }) => clients.map((operations) => operations.length));
    expect(new Set(lengths)).toEqual(new Set([1, 2, 3]));
    const five = fc.sample(scenarios({ minClients: 5, maxClients: 5 }), { numRuns: 20, seed: 1 });
    for (const { clients } of five) expect(clients).toHaveLength(5);
  });

  test("contain every operation, and send half of those with two ways over HTTP", () => {
    const operations: BookingOperation[] = sample.flatMap(({ clients }) => clients.flat());
    const names = new Set(operations.map(({ name }) => name));
    const all = "cancel confirm create expire list publish refund reschedule webhook withdraw";
    expect([...names].sort().join(" ")).toBe(all);
    const either = operations.filter(({ name }) => /create|cancel|reschedule|webhook/.test(name));
    const http = either.filter(({ via }) => via === "http").length / either.length;
    expect(http).toBeGreaterThan(0.45);
    expect(http).toBeLessThan(0.55);
  });

  test("begin with a consistent state whose ids count from 1", () => {
    for (const { initial } of sample) {
      const active = initial.bookings.filter(isActive);
      for (const slot of initial.slots) {
        const claims = active.filter((booking) => booking.slot === slot.id);
        expect(claims.length).toBe(slot.available || slot.withdrawn ? 0 : 1);
        if (claims.length === 0) continue;
        const others = initial.slots.filter((other) => overlap(slot, other));
        expect(active.filter(({ slot }) => others.some(({ id }) => id === slot))).toEqual([]);
      }
      for (const things of [initial.providers, initial.slots, initial.bookings]) {
        expect(things.map(({ id }) => id)).toEqual(things.map((_, i) => i + 1));
      }
    }
  });

  test("give each customer one name", () => {
    for (const { initial, clients } of sample) {
      const creates = clients.flat().filter((operation) => operation.name === "create");
      const signed = [...initial.bookings, ...creates];
      const names = new Map(signed.map(({ customer, customerName }) => [customer, customerName]));
      for (const { customer, customerName } of signed) {
        expect(customerName).toBe(names.get(customer));
        expect(customerName).not.toBe("");
      }
    }
  });
});
