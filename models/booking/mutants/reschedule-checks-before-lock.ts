import { type BookingMutant, FREES_OLD_SLOT, RESCHEDULE_LOCK, rewritten } from "./mutant.ts";

/** A reschedule checks the new slot before it locks it. */
export const rescheduleChecksBeforeLock: BookingMutant = {
  name: "reschedule-checks-before-lock",
  origin:
    "Locks should be short, so the checks were moved before them. The slot may have been " +
    "withdrawn when the lock is granted.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten(
    "reschedule_booking",
    [RESCHEDULE_LOCK, ""],
    [FREES_OLD_SLOT, RESCHEDULE_LOCK + FREES_OLD_SLOT],
  ),
};
