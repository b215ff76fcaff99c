import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim does not wait for the lock on the slot. */
export const claimNowait: BookingMutant = {
  name: "claim-nowait",
  origin:
    "Requests that waited for a lock piled up in a sale, so NOWAIT made them fail fast. The loser " +
    "of a race gets a server error instead of a conflict.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for update of s nowait"]),
};
