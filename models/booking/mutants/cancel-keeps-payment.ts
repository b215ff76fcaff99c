import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";

/** A cancel says nothing of the money. */
export const cancelKeepsPayment: BookingMutant = {
  name: "cancel-keeps-payment",
  origin:
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
