import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS, only } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const CANCEL = `select ${BOOKING_COLUMNS} from cancel_booking($1, $2)`;

/** A session-level advisory lock is not released when the work fails. */
export const advisoryLockLeak: BookingMutant = {
  name: "advisory-lock-leak",
  origin:
    "An advisory lock of the session makes the cancels of one booking run one after the " +
    "other. The next line releases it, but is not reached when the cancel is refused.",
  checker: "leaks",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const client = await pool.connect();
      try {
        await client.query("select pg_advisory_lock($1)", [bookingId]);
        const cancelled = await client.query<Booking>(CANCEL, [bookingId, actor]);
        await client.query("select pg_advisory_unlock($1)", [bookingId]);
        return only(cancelled.rows);
      } finally {
        client.release();
      }
    },
  }),
};
