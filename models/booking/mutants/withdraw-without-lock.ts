import { type BookingMutant, rewritten } from "./mutant.ts";

/** A withdrawal looks for bookings without a lock on the slot. */
export const withdrawWithoutLock: BookingMutant = {
  name: "withdraw-without-lock",
  origin:
    "A create and a withdrawal of one slot seemed never to coincide. A create between the " +
    "check and the update is left with a withdrawn slot.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("withdraw_slot", [`where id = p_slot_id for update`, `where id = p_slot_id`]),
};
