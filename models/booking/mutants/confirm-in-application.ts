import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, only } from "./booking-row.ts";
import { findActive, notActive } from "./cancel-by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CONFIRM = `
  update bookings
     set status = 'confirmed', payment_intent_id = coalesce($2, payment_intent_id),
         hold_expires_at = null, updated_at = now()
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** A confirm reads the booking, decides, and writes its status. */
export const confirmInApplication: BookingMutant = {
  name: "confirm-in-application",
  story:
    "The payment callback was to be readable to those who know no PL/pgSQL. A booking that is " +
    "cancelled between the read and the write is confirmed nevertheless, on a slot that is " +
    "free.",
  judge: "invariant",
  depth: "statement",
  smallest: { commands: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async confirmBooking(bookingId, paymentIntentId) {
      const { status } = await findActive(pool, bookingId);
      if (status !== "pending") throw notActive(status);
      return only((await pool.query<Booking>(CONFIRM, [bookingId, paymentIntentId])).rows);
    },
  }),
};
