import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel looks at a booking that it has not locked. */
export const cancelWithoutLock: BookingMutant = {
  name: "cancel-without-lock",
  story:
    "The lock went with the others when deadlocks were feared. A cancel frees the slot that " +
    "it saw: the booking may have moved, or the slot may be somebody else's by now.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("cancel_booking", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
