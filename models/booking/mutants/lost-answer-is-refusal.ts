import { errorFromPostgres, ServiceError } from "../../../src/errors.ts";
import type { BookingMutant } from "./mutant.ts";

/** A cancel whose connection was lost is answered as refused. */
export const lostAnswerIsRefusal: BookingMutant = {
  name: "lost-answer-is-refusal",
  origin:
    "Database errors made an ugly page, so they were mapped to a refusal that had a page. The " +
    "customer is told that the booking is not active, although its status is unknown.",
  checker: "linearizability",
  depth: "fault",
  smallest: { operations: 1, preemptions: 0, faults: 1 },
  store: (store) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      try {
        return await store.cancelBooking(bookingId, actor);
      } catch (error) {
        if (errorFromPostgres(error).code !== "DATABASE_UNAVAILABLE") throw error;
        throw new ServiceError("BOOKING_NOT_ACTIVE", "The booking cannot be cancelled", "");
      }
    },
  }),
};
