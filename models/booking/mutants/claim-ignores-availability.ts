import { type BookingMutant, rewritten } from "./mutant.ts";

/** A claim checks whether the slot is booked, but not whether it is available. */
export const claimIgnoresAvailability: BookingMutant = {
  name: "claim-ignores-availability",
  origin:
    "A review found is_available redundant: it is derived from the bookings, which the same " +
    "statement checks. But a withdrawn slot has no booking, and can be claimed.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("claim_slot_and_create_booking", [
    `if not v_slot.is_available or exists (`,
    `if exists (`,
  ]),
};
