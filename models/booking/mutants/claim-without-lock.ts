import { type BookingMutant, CLAIM_LOCK, rewritten } from "./mutant.ts";

/** A claim looks at slots that it has not locked. */
export const claimWithoutLock: BookingMutant = {
  name: "claim-without-lock",
  story:
    "The lock of the claim was taken for what the constraints do anyway, and went. They keep " +
    "two bookings apart; but they know nothing of a slot that its provider withdraws between " +
    "the look and the insert.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""]),
};
