import { type BookingMutant, rewritten } from "./mutant.ts";

/** A repeated event of a confirmed booking refunds its payment. */
export const repeatedEventRefunds: BookingMutant = {
  name: "repeated-event-refunds",
  origin:
    "Repeated events were assumed not to happen. The second event of a payment finds a " +
    "confirmed booking, counts as a second payment, and marks the only one for a refund.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `if found and (payment.status <> 'declined' or not p_captured) then`,
    `if found and payment.status = 'refunded' then`,
  ]),
};
