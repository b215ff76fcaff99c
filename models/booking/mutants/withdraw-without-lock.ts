import { type BookingMutant, rewritten } from "./mutant.ts";

/** A withdrawal looks for bookings of a slot that it has not locked. */
export const withdrawWithoutLock: BookingMutant = {
  name: "withdraw-without-lock",
  story:
    "Nobody books and withdraws one slot at the same time, it was thought. A create between " +
    "the look and the change is left with a slot that its provider took back.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("withdraw_slot", [`where id = p_slot_id for update`, `where id = p_slot_id`]),
};
