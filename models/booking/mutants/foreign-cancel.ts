import { type BookingMutant, rewritten } from "./mutant.ts";

/** Anybody may cancel any booking whose number he knows. */
export const foreignCancel: BookingMutant = {
  name: "foreign-cancel",
  story:
    "The page shows the button only to whom the booking belongs, so the service does not " +
    "look again.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("cancel_booking", [
    `if p_actor not in (`,
    `if p_actor = 'nobody' and p_actor not in (`,
  ]),
};
