import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim skips locked slots. */
export const claimSkipsLocked: BookingMutant = {
  name: "claim-skips-locked",
  origin:
    "SKIP LOCKED was copied from the job queue, where it makes workers fast. Here a claim " +
    "continues without the lock whenever another transaction holds it.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, "for update of s skip locked"]),
};
