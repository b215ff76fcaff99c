import { type BookingMutant, CLAIM_LOCK, DROP_UNIQUE_INDEX, rewritten } from "./mutant.ts";

/** No lock, and of the constraints only the one on overlaps. */
export const claimWithoutLockOrUniqueIndex: BookingMutant = {
  name: "claim-without-lock-or-unique-index",
  story:
    "Two guards of one thing were one too many, said a review of the indexes, and the lock " +
    "was too slow. The exclusion constraint still keeps bookings apart, but nothing keeps a " +
    "withdrawn slot free.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_UNIQUE_INDEX + rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
