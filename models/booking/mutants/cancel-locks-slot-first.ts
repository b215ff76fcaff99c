import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel locks the slot before the booking; all other changes lock the booking first. */
export const cancelLocksSlotFirst: BookingMutant = {
  name: "cancel-locks-slot-first",
  origin:
    "Creates lock slots first, so the cancel was changed to do the same. Changes of bookings " +
    "lock the booking first, so a reschedule and a cancel wait for each other.",
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
