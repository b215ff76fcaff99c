import { errorFromPostgres } from "../../../src/errors.ts";
import type { BookingMutant } from "./mutant.ts";

/** A create whose connection was lost is sent again. */
export const retryWithoutKey: BookingMutant = {
  name: "retry-without-key",
  origin:
    "A helper that retries failures was put around every statement. A create whose answer was " +
    "lost has booked the slot; its repeat is refused, and so is the customer.",
  checker: "linearizability",
  depth: "fault",
  smallest: { operations: 1, preemptions: 0, faults: 1 },
  store: (store) => ({
    ...store,
    async createBooking(request) {
      try {
        return await store.createBooking(request);
      } catch (error) {
        if (errorFromPostgres(error).code !== "DATABASE_UNAVAILABLE") throw error;
        return store.createBooking(request);
      }
    },
  }),
};
