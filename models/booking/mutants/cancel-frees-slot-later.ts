import { findActive, freeSlot, markCancelled, transaction } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** One transaction cancels the booking, the next one frees its slot. */
export const cancelFreesSlotLater: BookingMutant = {
  name: "cancel-frees-slot-later",
  origin:
    "The waiting list must learn of a cancelled booking before its slot is on offer, so the " +
    "cancel became two transactions. If the connection is lost between them, the slot stays " +
    "neither booked nor free.",
  checker: "invariant",
  depth: "fault",
  smallest: { operations: 1, preemptions: 0, faults: 1 },
  store: (store, pool) => ({
    ...store,
    async cancelBooking(bookingId, actor) {
      const booking = await transaction(pool, async (client) => {
        await findActive(client, bookingId, actor, "for update");
        return markCancelled(client, bookingId);
      });
      await freeSlot(pool, booking.slotId);
      return booking;
    },
  }),
};
