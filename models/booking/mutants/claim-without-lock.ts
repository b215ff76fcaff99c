import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim reads the slots without a lock. */
export const claimWithoutLock: BookingMutant = {
  name: "claim-without-lock",
  origin:
    "The constraints seemed to make the claim's lock redundant. They keep two bookings apart, " +
    "but do not notice that the provider withdraws the slot between the check and the insert.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
