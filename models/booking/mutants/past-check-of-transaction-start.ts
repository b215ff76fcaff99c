import { type BookingMutant, rewritten } from "./mutant.ts";

/** The check for past slots uses the time at which the claim's transaction began. */
export const pastCheckOfTransactionStart: BookingMutant = {
  name: "past-check-of-transaction-start",
  origin:
    "All other statements use now(). A claim that waits for a lock keeps the time before the " +
    "wait, and books a slot that began and became free in the meantime.",
  checker: "linearizability",
  depth: "routine",
  smallest: { operations: 3, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    "v_now := clock_timestamp();",
    "v_now := now();",
  ]),
};
