import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel reads the booking without a lock. */
export const cancelWithoutLock: BookingMutant = {
  name: "cancel-without-lock",
  origin:
    "The lock was removed together with others to avoid deadlocks. A cancel frees the slot " +
    "that it read, but the booking may have moved, or another booking may have the slot by " +
    "then.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("cancel_booking", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
