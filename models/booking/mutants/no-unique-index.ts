import { type BookingMutant, DROP_UNIQUE_INDEX } from "./mutant.ts";

/** The unique index on starts is missing. */
export const noUniqueIndex: BookingMutant = {
  name: "no-unique-index",
  story: "A review of the indexes found one that no query uses.",
  equivalent:
    "Slots are not empty, so bookings that begin together overlap: the exclusion constraint " +
    "refuses all that the index does. Before it comes to either, a claim and a reschedule " +
    "have locked and checked what they take.",
  sql: DROP_UNIQUE_INDEX,
};
