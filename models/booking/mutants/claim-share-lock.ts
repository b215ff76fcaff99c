import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** Claims share the lock on what they look at. */
export const claimShareLock: BookingMutant = {
  name: "claim-share-lock",
  story:
    "The claim only reads these rows, so a share lock was enough to keep them from changing. " +
    "Two claims hold it together, and then each waits for the other to let the slot be marked " +
    "as taken.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for share of s"]),
};
