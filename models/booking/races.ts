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
} from "./any-command.ts";
import type { BookingCommand, Create } from "./commands.ts";
import { ADJACENT, APART, OVERLAPPING, type SlotPlan, slotPlans } from "./initial-states.ts";

/**
 * A beginning in which commands get in each other's way. A uniform choice of commands makes most of
 * these far too rare (crossing reschedules in 0.2 of 100 scenarios), so that each scenario starts
 * from one of them.
 */
export interface Race {
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  /** The first slots, to which any number of others are added. */
  readonly slots: Arbitrary<readonly SlotPlan[]>;
  /** One command each for different clients, as far as there are clients enough. */
  readonly commands: Arbitrary<readonly BookingCommand[]>;
}

// With these, slot n and the booking on it have the same number.
const free = { past: [false], fate: ["free"] } as const;
const active = { past: [false], fate: ["pending", "confirmed"] } as const;
const pending = { past: [false], fate: ["pending", "lapsed"] } as const;
const lapsed = { past: [false], fate: ["lapsed"] } as const;
const expired = { past: [false], fate: ["expired"] } as const;
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
  { weight: 2, slots: slotPlans([]), commands: fc.constant([]) },
  { weight: 4, slots: slotPlans([free]), commands: fc.tuple(create(one), create(one)) },
  {
    weight: 3,
    slots: slotPlans([free, { ...next, gap: [OVERLAPPING] }]),
    commands: fc.tuple(create(one), create(two)),
  },
  {
    weight: 1,
    slots: slotPlans([free, { ...next, gap: [ADJACENT] }]),
    commands: fc.tuple(create(one), create(two)),
  },
  {
    weight: 3,
    slots: slotPlans([active, { ...active, sameProvider: [true], gap: [ADJACENT, APART] }]),
    commands: fc.tuple(reschedule(one, two), reschedule(two, one)),
  },
  {
    weight: 2,
    slots: slotPlans([active, next]),
    commands: fc.tuple(
      reschedule(one, two),
      anyOf(cancel(one), confirm(one), create(anyOf(one, two)), reschedule(one, two)),
    ),
  },
  {
    weight: 3,
    slots: slotPlans([active, next, next]),
    commands: fc.tuple(reschedule(one, two), cancel(one), reschedule(one, id(3))),
  },
  {
    weight: 4,
    slots: slotPlans([active]),
    commands: fc.tuple(cancel(one), anyOf(cancel(one), create(one), confirm(one))),
  },
  {
    weight: 3,
    slots: slotPlans([active]),
    commands: fc.tuple(cancel(one), cancel(one), create(one)),
  },
  { weight: 3, slots: slotPlans([free, next]), commands: repeated },
  {
    weight: 1,
    slots: slotPlans([{ past: [true] }, next]),
    commands: fc.tuple(create(one), anyOf(create(one), create(two))),
  },
  {
    weight: 2,
    slots: slotPlans([free]),
    commands: fc.tuple(withdraw(one), create(one)),
  },
  {
    weight: 4,
    slots: slotPlans([lapsed]),
    commands: fc.tuple(expire, anyOf(payment, payment, cancel(one), create(one)), create(one)),
  },
  {
    weight: 3,
    slots: slotPlans([pending]),
    commands: fc.tuple(payment, anyOf(payment, cancel(one)), payment),
  },
  {
    weight: 2,
    slots: slotPlans([expired]),
    commands: fc.tuple(payment, anyOf(create(one), create(one), payment)),
  },
  {
    weight: 3,
    slots: slotPlans([{ past: [false], fate: ["confirmed", "refund"] }]),
    commands: fc.tuple(refund, anyOf(refund, cancel(one)), anyOf(refund, payment)),
  },
];
