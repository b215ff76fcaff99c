import { type BookingMutant, DROP_EXCLUSION } from "./mutant.ts";

/** The constraint on overlaps is missing. */
export const noExclusionConstraint: BookingMutant = {
  name: "no-exclusion-constraint",
  origin: "The constraint was slow to build on the grown table, and was postponed.",
  equivalent:
    "A claim and a move lock the slot and all overlapping ones before they look for bookings. " +
    "Of two overlapping slots, the claim of the later one always locks the earlier one too.",
  sql: DROP_EXCLUSION,
};
