import { type BookingMutant, rewritten } from "./mutant.ts";

/** Publishing a slot again makes it available, booked or not. */
export const publishOffersBookedSlot: BookingMutant = {
  name: "publish-offers-booked-slot",
  origin:
    "The condition on withdrawn slots was lost when the upsert was rewritten by hand. An " +
    "import that publishes the whole calendar each night frees booked slots.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("publish_slot", [
    `
   where availability_slots.withdrawn_at is not null`,
    ``,
  ]),
};
