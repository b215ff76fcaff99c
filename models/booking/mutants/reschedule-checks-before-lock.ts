import { type BookingMutant, FREES_OLD_SLOT, RESCHEDULE_LOCK, rewritten } from "./mutant.ts";

/** A reschedule looks at the new slot, then locks it. */
export const rescheduleChecksBeforeLock: BookingMutant = {
  name: "reschedule-checks-before-lock",
  story:
    "Locks should be held as briefly as possible, so the checks went before them. What was " +
    "checked may have changed when the lock is there: the slot may be withdrawn.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten(
    "reschedule_booking",
    [RESCHEDULE_LOCK, ""],
    [FREES_OLD_SLOT, RESCHEDULE_LOCK + FREES_OLD_SLOT],
  ),
};
