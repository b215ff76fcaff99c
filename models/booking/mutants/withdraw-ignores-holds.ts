import { type BookingMutant, rewritten } from "./mutant.ts";

/** A slot on hold can be withdrawn. */
export const withdrawIgnoresHolds: BookingMutant = {
  name: "withdraw-ignores-holds",
  origin:
    "A ticket said that only confirmed bookings count. A customer who is about to pay holds a " +
    "withdrawn slot.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("withdraw_slot", [`status in ('pending', 'confirmed')`, `status = 'confirmed'`]),
};
