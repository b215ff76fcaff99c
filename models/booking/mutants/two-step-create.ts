import { findFree, insertBooking, takeSlot } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** One statement inserts the booking, the next one marks its slot. */
export const twoStepCreate: BookingMutant = {
  name: "two-step-create",
  origin:
    "The ORM saves one entity at a time, outside of a transaction. A cancel between the two " +
    "frees the slot, which the create then marks as taken for good.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      if (request.idempotencyKey !== undefined) return store.createBooking(request);
      const slotId = await findFree(pool, request);
      const booking = await insertBooking(pool, slotId, request);
      await takeSlot(pool, slotId);
      return { booking, created: true };
    },
  }),
};
