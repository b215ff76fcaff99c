import { type BookingMutant, DROP_UNIQUE_INDEX } from "./mutant.ts";

/** The unique index on starts is missing. */
export const noUniqueIndex: BookingMutant = {
  name: "no-unique-index",
  origin: "A review of the indexes found one that no query uses.",
  equivalent:
    "Slots are not empty, so bookings with the same start overlap: the exclusion constraint " +
    "refuses whatever the index does. Before that, a claim and a reschedule lock and check " +
    "their slot.",
  sql: DROP_UNIQUE_INDEX,
};
