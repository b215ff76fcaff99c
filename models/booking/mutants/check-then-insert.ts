import { findFree, insertBooking, takeSlot, transaction } from "./by-hand.ts";
import { type BookingMutant, DROP_EXCLUSION, DROP_UNIQUE_INDEX } from "./mutant.ts";

/** The route checks the slot, then inserts, without a lock or a constraint. */
export const checkThenInsert: BookingMutant = {
  name: "check-then-insert",
  origin:
    "Creates without an idempotency key got a fast path in the application: check that the " +
    "slot is free, insert the booking, mark the slot. The constraints had been dropped for an " +
    "import. Two concurrent creates both find the slot free.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_EXCLUSION + DROP_UNIQUE_INDEX,
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      if (request.idempotencyKey !== undefined) return store.createBooking(request);
      const slotId = await findFree(pool, request);
      const booking = await transaction(pool, async (client) => {
        const inserted = await insertBooking(client, slotId, request);
        await takeSlot(client, slotId);
        return inserted;
      });
      return { booking, created: true };
    },
  }),
};
