import { type BookingMutant, rewritten } from "./mutant.ts";

/** A second payment of a booking is kept. */
export const secondPaymentKept: BookingMutant = {
  name: "second-payment-kept",
  origin:
    "The unique index blocked a migration of old payments, and confirmed bookings were " +
    "treated like pending ones. A second payment is kept instead of refunded.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: `drop index idx_payments_booking_captured;
    ${rewritten("record_payment", [
      `p_captured and booking.status = 'pending'`,
      `p_captured and booking.status in ('pending', 'confirmed')`,
    ])}`,
};
