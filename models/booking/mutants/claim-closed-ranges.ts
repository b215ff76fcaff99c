import { type BookingMutant, rewritten } from "./mutant.ts";

/** Adjacent slots count as overlapping. */
export const claimClosedRanges: BookingMutant = {
  name: "claim-closed-ranges",
  origin:
    "The two ranges of the check got closed ends, like those of the calendar widget. A " +
    "booking from ten to eleven blocks the slot from eleven to twelve.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("claim_slot_and_create_booking", [
    `tstzrange(b.start_at, b.end_at, '[)') && tstzrange(v_slot.start_at, v_slot.end_at, '[)')`,
    `tstzrange(b.start_at, b.end_at, '[]') && tstzrange(v_slot.start_at, v_slot.end_at, '[]')`,
  ]),
};
