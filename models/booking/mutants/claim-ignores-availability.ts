import { type BookingMutant, rewritten } from "./mutant.ts";

/** A claim asks whether the slot is booked, but not whether it is offered. */
export const claimIgnoresAvailability: BookingMutant = {
  name: "claim-ignores-availability",
  story:
    "is_available is derived from the bookings, said a review, and the bookings are checked " +
    "right there. A withdrawn slot has no booking, and is taken.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("claim_slot_and_create_booking", [
    `if not v_slot.is_available or exists (`,
    `if exists (`,
  ]),
};
