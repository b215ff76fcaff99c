import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel locks the slot, then the booking: everybody else the other way round. */
export const cancelLocksSlotFirst: BookingMutant = {
  name: "cancel-locks-slot-first",
  story:
    "Creates lock slots first, so a cancel was made to do the same. Those who change a " +
    "booking lock the booking first, and so a reschedule and a cancel wait for each other.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("cancel_booking", [
    `begin
`,
    `begin
  perform from availability_slots
    where id = (select slot_id from bookings where id = p_booking_id)
      for update;

`,
  ]),
};
