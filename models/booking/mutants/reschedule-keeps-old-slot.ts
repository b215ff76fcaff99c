import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";
import { FREES_OLD_SLOT } from "./schema-parts.ts";

/** A reschedule does not free the slot that it leaves. */
export const rescheduleKeepsOldSlot: BookingMutant = {
  name: "reschedule-keeps-old-slot",
  origin: "The old slot was to be freed by a trigger, which then was not part of the release.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [FREES_OLD_SLOT, ``]),
};
