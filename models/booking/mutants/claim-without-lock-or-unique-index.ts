import { type BookingMutant, CLAIM_LOCK, DROP_UNIQUE_INDEX, rewritten } from "./mutant.ts";

/** A claim without the lock; only the exclusion constraint is left. */
export const claimWithoutLockOrUniqueIndex: BookingMutant = {
  name: "claim-without-lock-or-unique-index",
  origin:
    "A review of the indexes found two guards of one rule, and the lock was too slow. The " +
    "exclusion constraint still keeps bookings apart, but nothing protects a slot that is " +
    "being withdrawn.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_UNIQUE_INDEX + rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
