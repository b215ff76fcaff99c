import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";
import { CLAIM_LOCK, DROP_EXCLUSION } from "./schema-parts.ts";

/** No lock, and no constraint on overlaps. */
export const claimWithoutLockOrExclusion: BookingMutant = {
  name: "claim-without-lock-or-exclusion",
  origin:
    "The exclusion constraint was slow to build on the grown table, and the unique index was " +
    "thought to say the same. It does for bookings that begin together, but not for those " +
    "that merely overlap.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_EXCLUSION + rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
