import { type BookingMutant, rewritten } from "./mutant.ts";

/** A late payment takes its slot back without a check. */
export const latePaymentTakesSlot: BookingMutant = {
  name: "late-payment-takes-slot",
  origin:
    "The customer has paid, so the booking has to be confirmed, and the constraints seemed to " +
    "guard the rest. They do not notice that the vendor has withdrawn the slot.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 0 },
  sql: rewritten("record_payment", [`if v_slot.is_available and`, `if`]),
};
