import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";

/** A confirm without a payment forgets the one that there was. */
export const confirmOverwritesPayment: BookingMutant = {
  name: "confirm-overwrites-payment",
  story:
    "coalesce() looked like a default that nobody needs. A booking that was made with a " +
    "payment and is confirmed without one loses it.",
  judge: "linearizability",
  depth: "statement",
  smallest: { commands: 2, preemptions: 0 },
  sql: rewritten("confirm_booking", [
    `coalesce(p_payment_intent_id, payment_intent_id)`,
    `p_payment_intent_id`,
  ]),
};
