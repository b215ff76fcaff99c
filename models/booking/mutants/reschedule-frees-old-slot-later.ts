import type { Booking } from "../../../src/booking.ts";
import { runStatement } from "../../../src/statement.ts";
import { BOOKING_COLUMNS, findActive, freeSlot, only } from "./by-hand.ts";
import { type BookingMutant, FREES_OLD_SLOT, rewritten } from "./mutant.ts";

const MOVE = `select ${BOOKING_COLUMNS} from move_booking($1, $2, $3)`;

/** The booking moves in one transaction, the next one frees its old slot. */
export const rescheduleFreesOldSlotLater: BookingMutant = {
  name: "reschedule-frees-old-slot-later",
  origin:
    "The function was split in two, so that the application can notify the waiting list in " +
    "between. The application frees the slot that it read at first: after two concurrent " +
    "moves of one booking, one slot stays taken for good.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten(
    "reschedule_booking",
    ["reschedule_booking(", "move_booking("],
    [FREES_OLD_SLOT, ""],
  ),
  store: (store, pool) => ({
    ...store,
    async rescheduleBooking(bookingId, newSlotId, actor) {
      const { slotId } = await findActive(pool, bookingId, actor);
      const booking = only(await runStatement<Booking>(pool, MOVE, [bookingId, newSlotId, actor]));
      if (booking.slotId !== slotId) await freeSlot(pool, slotId);
      return booking;
    },
  }),
};
