import { type BookingMutant, rewritten } from "./mutant.ts";

/** An idempotency key is looked up, but not unique. */
export const idempotencyWithoutUniqueKey: BookingMutant = {
  name: "idempotency-without-unique-key",
  origin:
    "The unique index on keys blocked a merge of customer accounts, and the look-up seemed to " +
    "suffice. Two creates with one key for two slots look it up at the same time, and both " +
    "book.",
  checker: "linearizability",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql:
    `drop index idx_bookings_idempotency_key;` +
    rewritten("claim_slot_and_create_booking", [
      `  on conflict (customer_id, idempotency_key) where idempotency_key is not null do nothing
`,
      ``,
    ]),
};
