import type { Booking } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";
import { BOOKING_COLUMNS, only } from "./booking-row.ts";
import type { BookingMutant } from "./mutant.ts";

const FIND = "select slot_id, status from bookings where id = $1";

const FREE = `
  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = $1`;

const CANCEL = `
  update bookings set status = 'cancelled', updated_at = now() where id = $1
  returning ${BOOKING_COLUMNS}`;

/** The slot is freed in one transaction, the booking cancelled in the next. */
export const twoTransactionCancel: BookingMutant = {
  name: "two-transaction-cancel",
  story:
    "Slots and bookings became modules of their own, each with its own transactions. A cancel " +
    "looks up the booking, has the one free the slot, and then the other cancel the booking. A " +
    "booking that moves to another slot in between is cancelled there, and that slot stays taken.",
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId) {
      const { rows } = await pool.query<{ slot_id: string; status: string }>(FIND, [bookingId]);
      const [found] = rows;
      if (found === undefined) throw new ServiceError("BOOKING_NOT_FOUND", "Booking not found", "");
      if (found.status !== "pending" && found.status !== "confirmed") {
        throw new ServiceError("BOOKING_NOT_ACTIVE", `The booking is ${found.status}`, "");
      }
      await pool.query(FREE, [found.slot_id]);
      return only((await pool.query<Booking>(CANCEL, [bookingId])).rows);
    },
  }),
};
