import { type BookingMutant, CLAIM_LOCK, DROP_EXCLUSION, rewritten } from "./mutant.ts";

/** No lock, and no constraint on overlaps. */
export const claimWithoutLockOrExclusion: BookingMutant = {
  name: "claim-without-lock-or-exclusion",
  story:
    "The exclusion constraint was slow to build on the grown table, and the unique index was " +
    "thought to say the same. It does for bookings that begin together, but not for those " +
    "that merely overlap.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_EXCLUSION + rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
