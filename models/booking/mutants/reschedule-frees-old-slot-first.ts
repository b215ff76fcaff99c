import { findActive, freeSlot } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** The old slot is freed before the booking moves. */
export const rescheduleFreesOldSlotFirst: BookingMutant = {
  name: "reschedule-frees-old-slot-first",
  origin:
    "The old slot should be on offer as early as possible. If the booking then cannot move, " +
    "because its new slot is taken, it stays on a slot that every customer can book.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    async rescheduleBooking(bookingId, newSlotId, actor) {
      const { slotId } = await findActive(pool, bookingId, actor);
      if (String(newSlotId) !== slotId) await freeSlot(pool, slotId);
      return store.rescheduleBooking(bookingId, newSlotId, actor);
    },
  }),
};
