import type { Attack } from "../../../harness/index.ts";
import type { BookingOperation } from "../operations.ts";
import type { BookingState } from "../state.ts";
import { DoubleBooking } from "./double-booking.ts";

/**
 * SC-1: several customers book one slot at the same moment, over HTTP and, where the database is
 * known, half of them by the function. One of them gets it; all others are told of the conflict;
 * and afterwards, when the winner has cancelled, the slot is as free as before.
 */
export const sc1: Attack<BookingState, BookingOperation> = {
  name: "sc1",
  description: "the double booking: several customers book one slot at the same moment",
  rules: [
    { name: "one_winner", description: "Of those who book one slot at once, exactly one gets it." },
    { name: "losers_are_told", description: "All others are answered BOOKING_CONFLICT." },
    {
      name: "no_orphan",
      description: "Afterwards no slot is taken without a booking, nor booked without being taken.",
    },
  ],
  begin: (target) => DoubleBooking.begin(target),
};
