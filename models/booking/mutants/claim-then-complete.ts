import type { Booking } from "../../../src/booking.ts";
import { runStatement } from "../../../src/statement.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const KNOWN = "select from bookings where customer_id = $1 and idempotency_key = $2";

const COMPLETE = `
  update bookings
     set payment_intent_id = $2, idempotency_key = $3,
         idempotency_slot_id = case when $3::text is not null then slot_id end
   where id = $1
  returning ${BOOKING_COLUMNS}`;

/** The slot is claimed in one transaction, and the booking completed in the next. */
export const claimThenComplete: BookingMutant = {
  name: "claim-then-complete",
  story:
    "The claim is atomic, so it was kept as it was when payments and idempotency keys came; those " +
    "are written to the booking once it is there. When the connection is lost in between, the " +
    "booking holds its slot without its payment, and a retry with the same key is told that the " +
    "slot is taken.",
  checker: "linearizability",
  depth: "statement",
  // With a fault between the two, one operation is enough.
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      const { idempotencyKey, paymentIntentId, ...claim } = request;
      if (idempotencyKey === undefined && paymentIntentId === undefined) {
        return store.createBooking(request);
      }
      if (idempotencyKey !== undefined) {
        const known = await runStatement(pool, KNOWN, [request.customerId, idempotencyKey]);
        if (known.length > 0) return store.createBooking(request);
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
