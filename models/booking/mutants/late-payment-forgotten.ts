import { type BookingMutant, rewritten } from "./mutant.ts";

/** A payment for an expired booking is not refunded. */
export const latePaymentForgotten: BookingMutant = {
  name: "late-payment-forgotten",
  origin:
    "The gateway has a deadline of its own, so late payments seemed impossible. The event is " +
    "recorded like a declined card, and the payment is never refunded.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `when p_captured then 'refund_due' else`,
    `when p_captured and booking.status <> 'expired' then 'refund_due' else`,
  ]),
};
