import { errorFromPostgres, ServiceError } from "../../../src/errors.ts";
import type { BookingMutant } from "./mutant.ts";

/** A cancel whose connection was lost is told to have been refused. */
export const lostAnswerIsRefusal: BookingMutant = {
  name: "lost-answer-is-refusal",
  origin:
    "Errors of the database made an ugly page, and became one of those that there was a page " +
    "for. The customer is told that the booking is not active any more, and nobody knows " +
    "whether it is.",
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
