import { type BookingMutant, rewritten } from "./mutant.ts";

/** The event that arrives last says what became of a payment. */
export const declinedEventOverwrites: BookingMutant = {
  name: "declined-event-overwrites",
  story:
    "Events were taken to arrive in the order in which they were sent. A card that was declined " +
    "and then accepted leaves a booking that is confirmed, and a payment that is declined.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 0 },
  sql: rewritten("record_payment", [
    `payment.status <> 'declined' or not p_captured`,
    `payment.status <> 'declined' and p_captured`,
  ]),
};
