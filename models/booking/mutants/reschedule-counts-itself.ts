import { type BookingMutant, rewritten } from "./mutant.ts";

/** A booking conflicts with itself. */
export const rescheduleCountsItself: BookingMutant = {
  name: "reschedule-counts-itself",
  origin:
    "The claim's check was copied to the reschedule. A booking cannot move by half an hour, " +
    "since it overlaps itself.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [
    `       and b.id <> p_booking_id
`,
    ``,
  ]),
};
