import { type BookingMutant, rewritten } from "./mutant.ts";

/** Money that came too late is kept. */
export const paymentWithoutCompensation: BookingMutant = {
  name: "payment-without-compensation",
  story:
    "A payment is captured or declined, and what is captured was recorded so. Nobody gives " +
    "back what was paid for a booking that had been cancelled meanwhile.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `when p_captured then 'refund_due' else`,
    `when p_captured then 'captured' else`,
  ]),
};
