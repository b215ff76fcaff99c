import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim takes only a share lock on the slots. */
export const claimShareLock: BookingMutant = {
  name: "claim-share-lock",
  origin:
    "The claim only reads these rows, so a share lock seemed enough to keep them unchanged. " +
    "Two claims hold it together, and each waits for the other before it can mark the slot as " +
    "taken.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for share of s"]),
};
