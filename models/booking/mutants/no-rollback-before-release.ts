import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CANCEL = `select ${BOOKING_COLUMNS} from cancel_booking($1, $2)`;

/** A failed transaction returns to the pool without a rollback. */
export const noRollbackBeforeRelease: BookingMutant = {
  name: "no-rollback-before-release",
  origin:
    "The transaction was written by hand, and its finally clause only releases the " +
    "connection. The next request on this connection runs in the aborted transaction.",
  checker: "leaks",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const cancelled = await client.query<Booking>(CANCEL, [bookingId, actor]);
        await client.query("commit");
        return only(cancelled.rows);
      } finally {
        client.release();
      }
    },
  }),
};
