import { type BookingMutant, rewritten } from "./mutant.ts";

/** Whoever pays twice has paid twice. */
export const secondPaymentKept: BookingMutant = {
  name: "second-payment-kept",
  story:
    "The unique index stopped a migration of old payments, and a booking that is " +
    "confirmed was taken to be as good as one that is pending. Money that comes a second " +
    "time is kept.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: `drop index idx_payments_booking_captured;
    ${rewritten("record_payment", [
      `p_captured and booking.status = 'pending'`,
      `p_captured and booking.status in ('pending', 'confirmed')`,
    ])}`,
};
