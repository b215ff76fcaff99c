import { type BookingMutant, DROP_EXCLUSION, DROP_UNIQUE_INDEX, rewritten } from "./mutant.ts";

/** A late payment looks at a slot that it has not locked. */
export const latePaymentWithoutLock: BookingMutant = {
  name: "late-payment-without-lock",
  story:
    "The lock made the gateway wait, and the constraints had gone in an import. Whoever books " +
    "the slot between the check and the change shares it with a customer who was late.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_UNIQUE_INDEX + DROP_EXCLUSION + rewritten("record_payment", ["for update of s", ""]),
};
