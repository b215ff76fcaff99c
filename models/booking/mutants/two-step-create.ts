import { findFree, insertBooking, takeSlot } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** The booking is inserted, and then its slot is marked. */
export const twoStepCreate: BookingMutant = {
  name: "two-step-create",
  story:
    "The ORM saves one entity at a time, and nobody asked it for a transaction. A cancel that " +
    "comes between the two frees a slot which the create then marks as taken for good.",
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
