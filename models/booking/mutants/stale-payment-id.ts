import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, findActive, freeSlot, only, REFUND_DUE, transaction } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const SAVE = `
  with ${REFUND_DUE}
  update bookings set status = 'cancelled', payment_intent_id = $2, updated_at = now()
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** A cancel writes back the payment id that it read. */
export const stalePaymentId: BookingMutant = {
  name: "stale-payment-id",
  origin:
    "An entity is loaded, its status is changed, and all of its fields are saved. A payment " +
    "id that a confirm stored in the meantime is overwritten with null, and the payment is " +
    "never refunded.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const { paymentIntentId } = await findActive(pool, bookingId, actor);
      return transaction(pool, async (client) => {
        const { slotId } = await findActive(client, bookingId, actor, "for update");
        await freeSlot(client, slotId);
        return only((await client.query<Booking>(SAVE, [bookingId, paymentIntentId])).rows);
      });
    },
  }),
};
