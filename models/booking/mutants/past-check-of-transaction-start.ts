import { type BookingMutant, rewritten } from "./mutant.ts";

/** Whether a slot has begun is checked by when the claim's transaction did. */
export const pastCheckOfTransactionStart: BookingMutant = {
  name: "past-check-of-transaction-start",
  story:
    "It says now() everywhere else. A claim that waits for a lock has the time of before the wait, " +
    "and books a slot that has begun, and became free, meanwhile.",
  checker: "linearizability",
  depth: "routine",
  smallest: { operations: 3, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    "v_now := clock_timestamp();",
    "v_now := now();",
  ]),
};
