import { type BookingMutant, rewritten } from "./mutant.ts";

/** An event that comes again finds the booking paid, and gives its payment back. */
export const repeatedEventRefunds: BookingMutant = {
  name: "repeated-event-refunds",
  story:
    "That events come twice was left to the gateway. The second event of a payment finds " +
    "a booking that is confirmed, takes itself for a second payment, and marks the only " +
    "one to be given back.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `if found and (payment.status <> 'declined' or not p_captured) then`,
    `if found and payment.status = 'refunded' then`,
  ]),
};
