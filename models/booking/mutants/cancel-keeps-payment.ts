import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel says nothing of the money. */
export const cancelKeepsPayment: BookingMutant = {
  name: "cancel-keeps-payment",
  story:
    "Refunds were a matter of the accounts department, until it was asked where the list " +
    "of them is.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("cancel_booking", [
    `booking_id = p_booking_id and status = 'captured'`,
    `booking_id = p_booking_id and status = 'never'`,
  ]),
};
