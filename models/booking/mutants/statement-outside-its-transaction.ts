import { findActive, freeSlot, markCancelled, transaction } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

/** One statement of a transaction goes to the pool, not to its connection. */
export const statementOutsideItsTransaction: BookingMutant = {
  name: "statement-outside-its-transaction",
  story:
    "A helper that takes no connection was called from inside a transaction. Its statement " +
    "arrives on another connection, and waits for the lock that its own transaction holds: " +
    "for ever, and no deadlock in the eyes of the database.",
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
