import { type BookingMutant, rewritten } from "./mutant.ts";

/** A payment reads the booking without a lock. */
export const paymentWithoutLock: BookingMutant = {
  name: "payment-without-lock",
  origin:
    "The status is checked two lines above, so the lock seemed to protect nothing. A cancel " +
    "between the check and the update is undone, on a slot that is free by then.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("record_payment", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
