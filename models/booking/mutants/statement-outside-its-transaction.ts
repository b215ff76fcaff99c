import { findActive, freeSlot, markCancelled, transaction } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** One statement of a transaction runs on another connection. */
export const statementOutsideItsTransaction: BookingMutant = {
  name: "statement-outside-its-transaction",
  origin:
    "A helper that takes no connection was called from inside a transaction. Its statement " +
    "runs on another connection, and waits for ever for the lock of its own transaction. The " +
    "database sees no deadlock.",
  checker: "contract",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    cancelBooking: (bookingId, actor) =>
      transaction(pool, async (client) => {
        const { slotId } = await findActive(client, bookingId, actor, "for update");
        await freeSlot(client, slotId);
        return markCancelled(pool, bookingId);
      }),
  }),
};
