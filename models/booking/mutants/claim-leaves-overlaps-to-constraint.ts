import { type BookingMutant, rewritten } from "./mutant.ts";

/** A claim does not look for bookings that overlap its slot. */
export const claimLeavesOverlapsToConstraint: BookingMutant = {
  name: "claim-leaves-overlaps-to-constraint",
  story:
    "The constraint refuses an overlap anyway, and the service gives its refusal the same " +
    "name.",
  equivalent:
    "The exclusion constraint refuses what the check did, the refusal is undone with the " +
    "whole claim, and it has the same code. Since claims lock what overlaps, no two of them " +
    "are ever inside the constraint at once.",
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
