import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel reads the booking's slot before it locks the booking. */
export const cancelReadsSlotBeforeLock: BookingMutant = {
  name: "cancel-reads-slot-before-lock",
  origin:
    "The slot was read at the top of the function, with other data for the audit log. If the " +
    "cancel then waits for a reschedule, it frees the slot that the booking has left.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten(
    "cancel_booking",
    [
      `v_booking bookings;`,
      `v_booking bookings;
  v_slot_id bigint := (select slot_id from bookings where id = p_booking_id);`,
    ],
    [`where id = v_booking.slot_id`, `where id = v_slot_id`],
  ),
};
