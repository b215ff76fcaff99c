import { type BookingMutant, rewritten } from "./mutant.ts";

/** A vendor may move every other vendor's bookings. */
export const vendorsMoveEachOther: BookingMutant = {
  name: "vendors-move-each-other",
  origin: "Vendors were trusted, so being one was enough. Then competitors signed up.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [
    `if p_actor not in (`,
    `if p_actor not like 'vendor:%' and p_actor not in (`,
  ]),
};
