import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BookingOperation, Confirm, Create, Reference } from "./operations.ts";
import { patterns } from "./patterns.ts";
import { type BookingScenario, scenarios } from "./scenarios.ts";
import { ADJACENT, APART, EXPIRY_TIME, initialState, OVERLAPPING, type SlotPlan } from "./state.ts";

const slot = (plan: Partial<SlotPlan>): SlotPlan => ({
  sameProvider: true,
  gap: APART,
  past: false,
  outcome: "free",
  ...plan,
});

type Key = { readonly customer: string; readonly idempotencyKey: string };

const create = (n: number, key: Partial<Key> = {}): Create => ({
  name: "create",
  via: "http",
  slot: { id: n },
  customer: "customer-1",
  customerName: "Ada",
  notes: "",
  createdBy: "customer",
  ...key,
});
const wrongProvider: BookingOperation = { ...create(1), provider: 9 };
const cancel = (n: number): BookingOperation => cancelOf({ id: n });
const cancelOf = (booking: Reference): BookingOperation => ({
  name: "cancel",
  via: "http",
  booking,
});
const paid = { attempt: 1 } as const;
const confirm = (n: number, more: Partial<Confirm> = {}): BookingOperation => ({
  name: "confirm",
  via: "http",
  booking: { id: n },
  ...paid,
  ...more,
});
const webhook = (n: number, captured = true): BookingOperation => ({
  name: "webhook",
  via: "function",
  booking: { id: n },
  ...paid,
  captured,
});
const refund = { name: "refund", via: "http" } as const;
const reschedule = (n: number, to: number): BookingOperation => ({
  name: "reschedule",
  via: "http",
  booking: { id: n },
  slot: { id: to },
});
const withdraw = (n: number): BookingOperation => ({
  name: "withdraw",
  via: "function",
  slot: { id: n },
});
const expire: BookingOperation = { name: "expire", via: "function", at: EXPIRY_TIME };

const free = [slot({})];
const twoFree = [slot({}), slot({})];
const overlapping = [slot({}), slot({ gap: OVERLAPPING })];
const adjacent = [slot({}), slot({ gap: ADJACENT })];
const otherProvider = [slot({}), slot({ gap: OVERLAPPING, sameProvider: false })];
const booked = [slot({ outcome: "confirmed" }), slot({})];
const twoBooked = [slot({ outcome: "confirmed" }), slot({ outcome: "pending" }), slot({})];
const pending = [slot({ outcome: "pending" })];
const lapsed = [slot({ outcome: "lapsed" })];
const expired = [slot({ outcome: "expired" })];
const refundDue = [slot({ outcome: "refund" })];
const past = [slot({ past: true })];

type Case = readonly [slots: readonly SlotPlan[], ...clients: readonly BookingOperation[][]];
const key = (customer: string, idempotencyKey: string): Key => ({ customer, idempotencyKey });

const cases: { readonly [pattern: string]: { yes: readonly Case[]; no: readonly Case[] } } = {
  contended_slot: {
    yes: [
      [free, [create(1)], [create(1)]],
      [overlapping, [create(1)], [create(2)]],
    ],
    no: [
      [free, [create(1), create(1)], [cancel(1)]],
      [adjacent, [create(1)], [create(2)]],
      [free, [create(1)], [wrongProvider]],
      [free, [create(1)], [{ ...create(1), by: "nobody" }]],
      [free, [create(7)], [create(7)]],
    ],
  },
  overlapping_slots: {
    yes: [
      [overlapping, [create(1)], [create(2)]],
      [[...overlapping, ...pending], [reschedule(1, 1)], [create(2)]],
    ],
    no: [
      [overlapping, [create(1)], [create(1)]],
      [otherProvider, [create(1)], [create(2)]],
    ],
  },
  adjacent_slots: {
    yes: [[adjacent, [create(1)], [create(2)]]],
    no: [
      [overlapping, [create(1)], [create(2)]],
      [adjacent, [create(1), create(2)], []],
    ],
  },
  same_booking: {
    yes: [
      [booked, [cancel(1)], [confirm(1)]],
      [booked, [cancel(1)], [confirm(1, { by: "vendor:1" })]],
    ],
    no: [
      [booked, [cancel(1)], [confirm(1, { by: "vendor:2" })]],
      [booked, [cancel(1)], [confirm(1, { by: "customer:customer-2" })]],
      [twoBooked, [cancel(1)], [confirm(2)]],
      [booked, [cancelOf({ own: 0 })], [cancelOf({ own: 0 })]],
      [booked, [cancel(8)], [confirm(8)]],
    ],
  },
  crossing_reschedules: {
    yes: [[twoBooked, [reschedule(1, 2)], [reschedule(2, 1)]]],
    no: [
      [twoBooked, [reschedule(1, 3)], [reschedule(2, 1)]],
      [twoBooked, [reschedule(1, 1)], [reschedule(1, 1)]],
      [free, [reschedule(7, 8)], [reschedule(8, 7)]],
    ],
  },
  reschedule_and_cancel_same_booking: {
    yes: [[booked, [reschedule(1, 2)], [cancel(1)]]],
    no: [[twoBooked, [reschedule(1, 3)], [cancel(2)]]],
  },
  two_reschedules_and_cancel: {
    yes: [[booked, [reschedule(1, 2), reschedule(1, 1)], [cancel(1)]]],
    no: [
      [booked, [reschedule(1, 2)], [cancel(1)]],
      [booked, [reschedule(1, 2), reschedule(1, 1), cancel(1)], []],
      [twoBooked, [reschedule(1, 3), reschedule(2, 3)], [cancel(1)]],
    ],
  },
  double_cancel: {
    yes: [[booked, [cancel(1)], [cancel(1)]]],
    no: [
      [booked, [cancel(1), cancel(1)], []],
      [twoBooked, [cancel(1)], [cancel(2)]],
    ],
  },
  cancel_and_create_same_slot: {
    yes: [[booked, [cancel(1)], [create(1)]]],
    no: [[booked, [cancel(1)], [create(2)]]],
  },
  repeated_idempotency_key: {
    yes: [[twoFree, [create(1, key("c1", "k1"))], [create(2, key("c1", "k1"))]]],
    no: [
      [free, [create(1, key("c1", "k1"))], [create(1, key("c2", "k1"))]],
      [free, [create(1, key("c1", "k1"))], [create(1, key("c1", "k2"))]],
      [free, [create(1)], [create(1)]],
    ],
  },
  past_slot: {
    yes: [
      [past, [create(1)], []],
      [[...past, ...pending], [reschedule(1, 1)], []],
    ],
    no: [
      [past, [cancel(1)], []],
      [free, [create(1)], []],
    ],
  },
  withdraw_races_create: {
    yes: [[free, [withdraw(1)], [create(1)]]],
    no: [
      [twoFree, [withdraw(1)], [create(2)]],
      [free, [withdraw(1), create(1)], []],
    ],
  },
  strangers_change: {
    yes: [[booked, [cancel(1)], [confirm(1, { by: "nobody" })]]],
    no: [
      [booked, [cancel(1)], [confirm(1, { by: "vendor:1" })]],
      [twoBooked, [cancel(2)], [confirm(1, { by: "nobody" })]],
      [booked, [cancel(1), confirm(1, { by: "nobody" })], []],
    ],
  },
  expire_races_payment: {
    yes: [
      [lapsed, [expire], [confirm(1)]],
      [lapsed, [expire], [webhook(1)]],
    ],
    no: [
      [pending, [expire], [confirm(1)]],
      [booked, [expire], [confirm(1)]],
      [lapsed, [expire], [confirm(1, { attempt: 3 })]],
      [lapsed, [expire], [webhook(1, false)]],
    ],
  },
  repeated_payment_event: {
    yes: [
      [pending, [webhook(1)], [confirm(1)]],
      [pending, [webhook(1)], [webhook(1, false)]],
    ],
    no: [
      [pending, [webhook(1)], [confirm(1, { attempt: 2 })]],
      [pending, [webhook(1)], [confirm(1, { by: "nobody" })]],
      [twoBooked, [webhook(1)], [webhook(2)]],
      [pending, [webhook(1), webhook(1)], []],
    ],
  },
  payment_races_cancel: {
    yes: [[pending, [webhook(1)], [cancel(1)]]],
    no: [
      [pending, [webhook(1, false)], [cancel(1)]],
      [twoBooked, [webhook(1)], [cancel(2)]],
    ],
  },
  late_payment_races_create: {
    yes: [[expired, [webhook(1)], [create(1)]]],
    no: [
      [pending, [webhook(1)], [create(1)]],
      [[...expired, ...free], [webhook(1)], [create(2)]],
      [expired, [webhook(1), create(1)], []],
    ],
  },
  two_refund_runs: {
    yes: [[refundDue, [refund], [refund]]],
    no: [
      [refundDue, [refund], [{ ...refund, by: "nobody" }]],
      [booked, [refund], [refund]],
      [refundDue, [refund, refund], []],
    ],
  },
};

function scenario([slots, ...clients]: Case): BookingScenario {
  return { initial: initialState(slots), clients };
}

describe("each pattern", () => {
  test("has cases", () => {
    expect(Object.keys(cases)).toEqual(patterns.map(({ name }) => name));
  });

  test.each(patterns.map((pattern) => [pattern.name, pattern] as const))("%s", (name, pattern) => {
    for (const yes of cases[name]?.yes ?? []) expect(pattern.matches(scenario(yes))).toBe(true);
    for (const no of cases[name]?.no ?? []) expect(pattern.matches(scenario(no))).toBe(false);
  });

  test.each([
    { minClients: 2, maxClients: 4 },
    { minClients: 2, maxClients: 2 },
  ])("reaches its threshold with %o, over scenarios drawn one by one", (bounds) => {
    const arbitrary = scenarios(bounds);
    const drawn = Array.from({ length: 3000 }, (_, seed) =>
      fc.sample(arbitrary, { numRuns: 1, seed }),
    ).flat();
    const tooRare = patterns.filter(
      (pattern) =>
        drawn.filter((one) => pattern.matches(one)).length / drawn.length < pattern.threshold,
    );
    expect(tooRare.map(({ name }) => name)).toEqual([]);
  });
});
