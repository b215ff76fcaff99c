import { type BookingMutant, rewritten } from "./mutant.ts";

/** The event that arrives last decides the status of a payment. */
export const declinedEventOverwrites: BookingMutant = {
  name: "declined-event-overwrites",
  origin:
    "Events were assumed to arrive in order. After a card that was declined and then " +
    "accepted, the booking is confirmed and its payment declined.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 0 },
  sql: rewritten("record_payment", [
    `payment.status <> 'declined' or not p_captured`,
    `payment.status <> 'declined' and p_captured`,
  ]),
};
