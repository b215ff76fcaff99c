import { type BookingMutant, rewritten } from "./mutant.ts";

/** A reschedule reads the booking without a lock. */
export const rescheduleWithoutLock: BookingMutant = {
  name: "reschedule-without-lock",
  origin:
    "Slots are what bookings compete for, so only slots were locked. A booking that is " +
    "cancelled in the meantime takes its new slot nevertheless.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("reschedule_booking", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
