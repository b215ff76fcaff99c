import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CANCEL = `select ${BOOKING_COLUMNS} from cancel_booking($1, $2)`;

/** A connection is not released when the work fails. */
export const connectionNotReleased: BookingMutant = {
  name: "connection-not-released",
  origin:
    "The release follows the query instead of being in a finally clause. Each refused cancel " +
    "costs the pool a connection, until none is left.",
  checker: "leaks",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const client = await pool.connect();
      const cancelled = await client.query<Booking>(CANCEL, [bookingId, actor]);
      client.release();
      return only(cancelled.rows);
    },
  }),
};
