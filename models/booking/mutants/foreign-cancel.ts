import { type BookingMutant, rewritten } from "./mutant.ts";

/** Every customer may cancel every booking. */
export const foreignCancel: BookingMutant = {
  name: "foreign-cancel",
  origin:
    "The page shows the button only to the booking's owner, so the service does not check " +
    "again.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("cancel_booking", [
    `if p_actor not in (`,
    `if p_actor = 'nobody' and p_actor not in (`,
  ]),
};
