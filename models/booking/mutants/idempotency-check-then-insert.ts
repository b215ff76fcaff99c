import type { Booking } from "../../../src/booking.ts";
import { runStatement } from "../../../src/statement.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const FIND = "select from bookings where customer_id = $1 and idempotency_key = $2";

const KEEP = `
  update bookings
     set idempotency_key = $2, idempotency_slot_id = slot_id,
         idempotency_payment_intent_id = payment_intent_id
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** The application looks up the key, creates without it, and stores it afterwards. */
export const idempotencyCheckThenInsert: BookingMutant = {
  name: "idempotency-check-then-insert",
  origin:
    "Keys came later than creates, and were wrapped around them. A create and its repeat both " +
    "find no key, and the repeat is refused because of its own slot.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async createBooking({ idempotencyKey, ...request }) {
      if (idempotencyKey === undefined) return store.createBooking(request);
      const { rows } = await pool.query(FIND, [request.customerId, idempotencyKey]);
      // A repeat: the function returns the first one's booking.
      if (rows.length > 0) return store.createBooking({ ...request, idempotencyKey });
      const { booking, created } = await store.createBooking(request);
      const keyed = await runStatement<Booking>(pool, KEEP, [booking.id, idempotencyKey]);
      return { booking: only(keyed), created };
    },
  }),
};
