import { type BookingMutant, CLAIM_LOCK, DROP_EXCLUSION, rewritten } from "./mutant.ts";

/** A claim without the lock and without the exclusion constraint. */
export const claimWithoutLockOrExclusion: BookingMutant = {
  name: "claim-without-lock-or-exclusion",
  origin:
    "The exclusion constraint was slow to build on the grown table, and the unique index " +
    "seemed to say the same. It does for bookings with the same start, but not for others " +
    "that overlap.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_EXCLUSION + rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
