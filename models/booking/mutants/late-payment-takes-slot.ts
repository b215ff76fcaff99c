import { type BookingMutant, rewritten } from "./mutant.ts";

/** A late payment takes its slot back, whatever became of it. */
export const latePaymentTakesSlot: BookingMutant = {
  name: "late-payment-takes-slot",
  story:
    "The customer has paid, so the booking has to be confirmed: that is what constraints " +
    "are for. They do not know of a slot that its vendor has withdrawn.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 0 },
  sql: rewritten("record_payment", [`if v_slot.is_available and`, `if`]),
};
