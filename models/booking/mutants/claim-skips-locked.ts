import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim leaves out the locks that others hold. */
export const claimSkipsLocked: BookingMutant = {
  name: "claim-skips-locked",
  story:
    "SKIP LOCKED came over from the job queue, where it makes workers fast. Here it makes a " +
    "claim go on without the lock just when there is somebody to be kept out.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for update of s skip locked"]),
};
