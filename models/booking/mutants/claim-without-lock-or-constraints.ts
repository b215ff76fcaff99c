import {
  type BookingMutant,
  CLAIM_LOCK,
  DROP_EXCLUSION,
  DROP_UNIQUE_INDEX,
  rewritten,
} from "./mutant.ts";

/** Neither a lock nor a constraint keeps two claims apart. */
export const claimWithoutLockOrConstraints: BookingMutant = {
  name: "claim-without-lock-or-constraints",
  origin:
    "A claim checks before it inserts, so the lock and the constraints seemed to repeat the " +
    "same check. Two concurrent claims both find the slot free.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql:
    DROP_EXCLUSION +
    DROP_UNIQUE_INDEX +
    rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
