import type { BookingMutant } from "./mutant.ts";

/** A refund is recorded, and never made. */
export const refundRecordedUnmade: BookingMutant = {
  name: "refund-recorded-unmade",
  origin: "While the gateway was being replaced, its call was commented out.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  gateway: (gateway) => ({ ...gateway, refund: async () => {} }),
};
