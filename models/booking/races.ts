import fc, { type Arbitrary } from "fast-check";
import {
  cancel,
  confirm,
  create,
  expire,
  id,
  refund,
  reschedule,
  webhook,
  withdraw,
} from "./any-operation.ts";
import { ADJACENT, APART, OVERLAPPING, type SlotPlan, slotPlans } from "./initial-states.ts";
import type { BookingOperation, Create } from "./operations.ts";

/**
 * A beginning in which operations get in each other's way. A uniform choice of operations makes most of
 * these far too rare (crossing reschedules in 0.2 of 100 scenarios), so that each scenario starts
 * from one of them.
 */
export interface Race {
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  /** The first slots, to which any number of others are added. */
  readonly slots: Arbitrary<readonly SlotPlan[]>;
  /** One operation each for different clients, as far as there are clients enough. */
  readonly operations: Arbitrary<readonly BookingOperation[]>;
}

// With these, slot n and the booking on it have the same number.
const free = { past: [false], outcome: ["free"] } as const;
const active = { past: [false], outcome: ["pending", "confirmed"] } as const;
const pending = { past: [false], outcome: ["pending", "lapsed"] } as const;
const lapsed = { past: [false], outcome: ["lapsed"] } as const;
const expired = { past: [false], outcome: ["expired"] } as const;
const next = { ...free, sameProvider: [true] } as const;

const one = id(1);
const two = id(2);
const anyOf = fc.oneof;
const payment = anyOf(webhook(one), webhook(one), confirm(one));

/** Two requests with one key: mostly the same request, sometimes for another slot. */
const repeated: Arbitrary<readonly Create[]> = fc
  .tuple(create(one), create(anyOf(one, one, two)), fc.constantFrom("http", "function"))
  .map(([first, second, via]) => {
    const keyed = { ...first, idempotencyKey: "key-1" };
    return [keyed, { ...keyed, slot: second.slot, via } as Create];
  });

export const races: readonly Race[] = [
  { weight: 2, slots: slotPlans([]), operations: fc.constant([]) },
  { weight: 4, slots: slotPlans([free]), operations: fc.tuple(create(one), create(one)) },
  {
    weight: 3,
    slots: slotPlans([free, { ...next, gap: [OVERLAPPING] }]),
    operations: fc.tuple(create(one), create(two)),
  },
  {
    weight: 1,
    slots: slotPlans([free, { ...next, gap: [ADJACENT] }]),
    operations: fc.tuple(create(one), create(two)),
  },
  {
    weight: 3,
    slots: slotPlans([active, { ...active, sameProvider: [true], gap: [ADJACENT, APART] }]),
    operations: fc.tuple(reschedule(one, two), reschedule(two, one)),
  },
  {
    weight: 2,
    slots: slotPlans([active, next]),
    operations: fc.tuple(
      reschedule(one, two),
      anyOf(cancel(one), confirm(one), create(anyOf(one, two)), reschedule(one, two)),
    ),
  },
  {
    weight: 3,
    slots: slotPlans([active, next, next]),
    operations: fc.tuple(reschedule(one, two), cancel(one), reschedule(one, id(3))),
  },
  {
    weight: 4,
    slots: slotPlans([active]),
    operations: fc.tuple(cancel(one), anyOf(cancel(one), create(one), confirm(one))),
  },
  {
    weight: 3,
    slots: slotPlans([active]),
    operations: fc.tuple(cancel(one), cancel(one), create(one)),
  },
  { weight: 3, slots: slotPlans([free, next]), operations: repeated },
  {
    weight: 1,
    slots: slotPlans([{ past: [true] }, next]),
    operations: fc.tuple(create(one), anyOf(create(one), create(two))),
  },
  {
    weight: 2,
    slots: slotPlans([free]),
    operations: fc.tuple(withdraw(one), create(one)),
  },
  {
    weight: 4,
    slots: slotPlans([lapsed]),
    operations: fc.tuple(expire, anyOf(payment, payment, cancel(one), create(one)), create(one)),
  },
  {
    weight: 3,
    slots: slotPlans([pending]),
    operations: fc.tuple(payment, anyOf(payment, cancel(one)), payment),
  },
  {
    weight: 2,
    slots: slotPlans([expired]),
    operations: fc.tuple(payment, anyOf(create(one), create(one), payment)),
  },
  {
    weight: 3,
    slots: slotPlans([{ past: [false], outcome: ["confirmed", "refund"] }]),
    operations: fc.tuple(refund, anyOf(refund, cancel(one)), anyOf(refund, payment)),
  },
];
