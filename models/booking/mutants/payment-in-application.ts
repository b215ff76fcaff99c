import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CONFIRM = `
  with paid as (
    insert into payments (intent, booking_id, status) values ($2, $1, 'captured')
    on conflict (intent) do update set status = 'captured', updated_at = now()
  )
  update bookings
     set status = 'confirmed', payment_intent_id = $2, hold_expires_at = null, updated_at = now()
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** The application reads the booking, decides, and writes its status. */
export const paymentInApplication: BookingMutant = {
  name: "payment-in-application",
  origin:
    "The payment callback was rewritten for developers who know no PL/pgSQL. A booking that " +
    "is cancelled between the read and the write is confirmed, on a slot that is free.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async recordPayment(bookingId, intent, captured) {
      const found = await store.findBooking(bookingId).catch(() => undefined);
      if (found?.booking.status !== "pending" || !captured) {
        return store.recordPayment(bookingId, intent, captured);
      }
      const booking = only((await pool.query(CONFIRM, [bookingId, intent])).rows);
      return { paymentStatus: "captured", booking };
    },
  }),
};
