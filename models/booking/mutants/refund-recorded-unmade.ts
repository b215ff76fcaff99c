import type { BookingMutant } from "./mutant.ts";

/** A refund is recorded but not made. */
export const refundRecordedUnmade: BookingMutant = {
  name: "refund-recorded-unmade",
  origin: "The call of the gateway was commented out while the gateway was being replaced.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  gateway: (gateway) => ({ ...gateway, refund: async () => {} }),
};
