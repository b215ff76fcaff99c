import { type BookingMutant, FREES_OLD_SLOT, rewritten } from "./mutant.ts";

/** A reschedule does not free the slot that it leaves. */
export const rescheduleKeepsOldSlot: BookingMutant = {
  name: "reschedule-keeps-old-slot",
  story: "The old slot was to be freed by a trigger, which then was not part of the release.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [FREES_OLD_SLOT, ``]),
};
