import { type BookingMutant, DROP_EXCLUSION } from "./mutant.ts";

/** The constraint on overlaps is missing. */
export const noExclusionConstraint: BookingMutant = {
  name: "no-exclusion-constraint",
  story: "The constraint was slow to build on the grown table, and was left for later.",
  equivalent:
    "Whoever takes a slot has locked it and all that overlap it, and looks for bookings after " +
    "that. Of two slots that overlap, the claim of the later one always locks the earlier one " +
    "too.",
  sql: DROP_EXCLUSION,
};
