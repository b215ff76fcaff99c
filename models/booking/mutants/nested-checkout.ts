import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, only, transaction } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CANCEL = `select ${BOOKING_COLUMNS} from cancel_booking($1, $2)`;

/** A request that holds a connection waits for another one of the same pool. */
export const nestedCheckout: BookingMutant = {
  name: "nested-checkout",
  origin:
    "A look-up that takes its own connection was called from inside a transaction, which " +
    "works with few customers. When every connection belongs to a request that needs a second " +
    "one, all of them wait for ever.",
  checker: "contract",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  connections: 2,
  store: (store, pool) => ({
    ...store,
    cancelBooking: (bookingId, actor) =>
      transaction(pool, async (client) => {
        const { booking } = await store.findBooking(bookingId);
        const cancelled = await client.query<Booking>(CANCEL, [booking.id, actor]);
        return only(cancelled.rows);
      }),
  }),
};
