import { type BookingMutant, rewritten } from "./mutant.ts";

/** A claim does not look for bookings that overlap its slot. */
export const claimLeavesOverlapsToConstraint: BookingMutant = {
  name: "claim-leaves-overlaps-to-constraint",
  origin:
    "The constraint refuses an overlap anyway, and the service maps its error to the same " +
    "code.",
  equivalent:
    "The exclusion constraint refuses whatever the check refused, with the same code, and the " +
    "whole claim is rolled back. Claims lock all overlapping slots, so two of them never meet " +
    "inside the constraint.",
  sql: rewritten("claim_slot_and_create_booking", [
    `if not v_slot.is_available or exists (
    select from bookings b
     where b.provider_id = v_slot.provider_id
       and b.status in ('pending', 'confirmed')
       and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(v_slot.start_at, v_slot.end_at, '[)')
  ) then`,
    `if not v_slot.is_available then`,
  ]),
};
