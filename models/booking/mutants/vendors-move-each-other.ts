import { type BookingMutant, rewritten } from "./mutant.ts";

/** A vendor may move the bookings of every other one. */
export const vendorsMoveEachOther: BookingMutant = {
  name: "vendors-move-each-other",
  story: "Vendors are trusted, so that being one was enough; then competitors signed up.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [
    `if p_actor not in (`,
    `if p_actor not like 'vendor:%' and p_actor not in (`,
  ]),
};
