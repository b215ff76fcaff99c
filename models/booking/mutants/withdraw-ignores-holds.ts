import { type BookingMutant, rewritten } from "./mutant.ts";

/** A slot that is on hold can be withdrawn. */
export const withdrawIgnoresHolds: BookingMutant = {
  name: "withdraw-ignores-holds",
  story:
    "Only a confirmed booking is a booking, said the ticket. A customer who is about to pay " +
    "holds a slot that is gone.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("withdraw_slot", [`status in ('pending', 'confirmed')`, `status = 'confirmed'`]),
};
