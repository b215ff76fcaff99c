import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim does not wait for the slot. */
export const claimNowait: BookingMutant = {
  name: "claim-nowait",
  story:
    "Requests that waited for a lock piled up in a sale, and NOWAIT made them fail fast. What " +
    "it raises is no refusal that the service knows, so that the loser of a race is told of a " +
    "server error.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for update of s nowait"]),
};
