import type { BookingMutant } from "./mutant.ts";

/** A confirm trusts the customer and does not ask the gateway. */
export const confirmTrustsCustomer: BookingMutant = {
  name: "confirm-trusts-customer",
  origin:
    "The gateway redirects only customers who have paid, so asking it again seemed " +
    "unnecessary.",
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
