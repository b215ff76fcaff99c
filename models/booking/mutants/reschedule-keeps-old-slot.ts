import { type BookingMutant, FREES_OLD_SLOT, rewritten } from "./mutant.ts";

/** A reschedule does not free the old slot. */
export const rescheduleKeepsOldSlot: BookingMutant = {
  name: "reschedule-keeps-old-slot",
  origin: "A trigger was to free the old slot, but was not part of the release.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [FREES_OLD_SLOT, ``]),
};
