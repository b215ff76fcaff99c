import { type BookingMutant, rewritten } from "./mutant.ts";

/** A reschedule looks at a booking that it has not locked. */
export const rescheduleWithoutLock: BookingMutant = {
  name: "reschedule-without-lock",
  story:
    "Slots are what is fought over, so only slots were locked. A booking that is cancelled " +
    "meanwhile takes its new slot along.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("reschedule_booking", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
