import { type BookingMutant, rewritten } from "./mutant.ts";

/** A cancel offers the slot again, withdrawn or not. */
export const cancelFreesWithdrawnSlot: BookingMutant = {
  name: "cancel-frees-withdrawn-slot",
  story: "The slot of a cancelled booking is free, so why look?",
  equivalent:
    "A slot with an active booking is never withdrawn: withdraw_slot looks for bookings under " +
    "the lock that a claim takes as well. So a cancel finds withdrawn_at null whenever it " +
    "frees a slot.",
  sql: rewritten("cancel_booking", [`is_available = withdrawn_at is null`, `is_available = true`]),
};
