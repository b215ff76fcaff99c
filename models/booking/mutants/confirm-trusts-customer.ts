import type { BookingMutant } from "./mutant.ts";

/** Whoever says that he has paid has paid. */
export const confirmTrustsCustomer: BookingMutant = {
  name: "confirm-trusts-customer",
  origin:
    "The gateway sends customers back to a page of ours only after they have paid, it was " +
    "thought; so there is no need to ask it.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  gateway: (gateway) => ({
    ...gateway,
    async find(intent) {
      const found = await gateway.find(intent);
      return found && { ...found, status: "captured" };
    },
  }),
};
