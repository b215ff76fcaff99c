import { type BookingMutant, rewritten } from "./mutant.ts";

/** Money for a booking that has expired is nobody's. */
export const latePaymentForgotten: BookingMutant = {
  name: "late-payment-forgotten",
  story:
    "Late payments were thought not to exist, since the gateway has a deadline of its " +
    "own, a little longer than ours. The event is taken note of as if the card had been " +
    "declined, and the money is never given back.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `when p_captured then 'refund_due' else`,
    `when p_captured and booking.status <> 'expired' then 'refund_due' else`,
  ]),
};
