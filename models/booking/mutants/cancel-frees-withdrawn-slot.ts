import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel frees the slot, withdrawn or not. */
export const cancelFreesWithdrawnSlot: BookingMutant = {
  name: "cancel-frees-withdrawn-slot",
  origin: "The slot of a cancelled booking is free, so the check for withdrawal looked redundant.",
  equivalent:
    "A slot with an active booking is never withdrawn: withdraw_slot looks for bookings under " +
    "the lock that a claim takes as well. So withdrawn_at is null whenever a cancel frees a " +
    "slot.",
  sql: rewritten("cancel_booking", [`is_available = withdrawn_at is null`, `is_available = true`]),
};
