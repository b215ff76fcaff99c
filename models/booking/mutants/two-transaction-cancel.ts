import { findActive, freeSlot, markCancelled } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** The slot is freed in one transaction, the booking cancelled in the next. */
export const twoTransactionCancel: BookingMutant = {
  name: "two-transaction-cancel",
  origin:
    "Slots and bookings became modules with their own transactions. A cancel reads the " +
    "booking, frees its slot, and cancels the booking. A booking that moves to another slot " +
    "in between is cancelled there, and that slot stays taken.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const { slotId } = await findActive(pool, bookingId, actor);
      await freeSlot(pool, slotId);
      return markCancelled(pool, bookingId);
    },
  }),
};
