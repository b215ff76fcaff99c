import type { Booking } from "../../../src/booking.ts";
import { runStatement } from "../../../src/statement.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const FIND_KEY = "select from bookings where customer_id = $1 and idempotency_key = $2";

const COMPLETE = `
  update bookings
     set payment_intent_id = $2, idempotency_key = $3,
         idempotency_slot_id = case when $3::text is not null then slot_id end,
         idempotency_payment_intent_id = case when $3::text is not null then $2::text end
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** One transaction claims the slot, the next one completes the booking. */
export const claimThenComplete: BookingMutant = {
  name: "claim-then-complete",
  origin:
    "The claim was left as it was when payments and idempotency keys came; a second statement " +
    "writes them to the booking. If the connection is lost in between, the booking has its " +
    "slot but no payment, and a retry with the same key is refused.",
  checker: "linearizability",
  depth: "statement",
  // With a fault between the two statements, one operation is enough.
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      const { idempotencyKey, paymentIntentId, ...claim } = request;
      if (idempotencyKey === undefined && paymentIntentId === undefined) {
        return store.createBooking(request);
      }
      if (idempotencyKey !== undefined) {
        const earlier = await runStatement(pool, FIND_KEY, [request.customerId, idempotencyKey]);
        if (earlier.length > 0) return store.createBooking(request);
      }
      const { booking } = await store.createBooking(claim);
      const complete = [booking.id, paymentIntentId, idempotencyKey];
      return {
        booking: only(await runStatement<Booking>(pool, COMPLETE, complete)),
        created: true,
      };
    },
  }),
};
