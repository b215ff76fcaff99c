import { type BookingMutant, rewritten } from "./mutant.ts";

/** A booking is in its own way. */
export const rescheduleCountsItself: BookingMutant = {
  name: "reschedule-counts-itself",
  story:
    "The check of the claim was copied to the reschedule as it stood. A booking cannot be " +
    "moved by half an hour, since it overlaps itself.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [
    `       and b.id <> p_booking_id
`,
    ``,
  ]),
};
