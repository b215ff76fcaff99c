import type { BookingMutant } from "./mutant.ts";

/** A refund is recorded, and never made. */
export const refundRecordedUnmade: BookingMutant = {
  name: "refund-recorded-unmade",
  story: "While the gateway was being replaced, its call was commented out.",
  judge: "invariant",
  depth: "statement",
  smallest: { commands: 1, preemptions: 0 },
  gateway: (gateway) => ({ ...gateway, refund: async () => {} }),
};
