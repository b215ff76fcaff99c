import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel does not mark the payment for a refund. */
export const cancelKeepsPayment: BookingMutant = {
  name: "cancel-keeps-payment",
  origin: "Refunds were left to the accounts department, and the cancel never told it about them.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("cancel_booking", [
    `booking_id = p_booking_id and status = 'captured'`,
    `booking_id = p_booking_id and status = 'never'`,
  ]),
};
