import { type BookingMutant, DROP_EXCLUSION, DROP_UNIQUE_INDEX, rewritten } from "./mutant.ts";

/** A late payment reads the slot without a lock. */
export const latePaymentWithoutLock: BookingMutant = {
  name: "late-payment-without-lock",
  origin:
    "The lock made the gateway wait, and the constraints had been dropped for an import. A " +
    "booking made between the check and the update shares the slot with the late customer's.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_UNIQUE_INDEX + DROP_EXCLUSION + rewritten("record_payment", ["for update of s", ""]),
};
