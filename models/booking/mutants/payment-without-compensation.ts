import { type BookingMutant, rewritten } from "./mutant.ts";

/** A payment that is too late is kept. */
export const paymentWithoutCompensation: BookingMutant = {
  name: "payment-without-compensation",
  origin:
    "Payments are captured or declined, and every captured one was recorded so. A payment for " +
    "a booking that has been cancelled is never refunded.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("record_payment", [
    `when p_captured then 'refund_due' else`,
    `when p_captured then 'captured' else`,
  ]),
};
