import { type BookingMutant, RESCHEDULE_LOCK, rewritten } from "./mutant.ts";

/** A reschedule locks the old slot, then the new one. */
export const rescheduleLocksOldSlotFirst: BookingMutant = {
  name: "reschedule-locks-old-slot-first",
  origin:
    "One query that locks two kinds of slots was hard to read, and became two. Crossing " +
    "reschedules lock the same slots in opposite orders.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("reschedule_booking", [
    RESCHEDULE_LOCK,
    `  perform from availability_slots where id = v_booking.slot_id for update;
  perform
     from availability_slots s
     join availability_slots target on target.id = p_new_slot_id
    where s.provider_id = target.provider_id
      and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
    order by s.id
      for update of s;
`,
  ]),
};
