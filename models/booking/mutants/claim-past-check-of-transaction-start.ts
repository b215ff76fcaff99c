import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";

/** Whether a slot has begun is judged by when the claim began. */
export const claimPastCheckOfTransactionStart: BookingMutant = {
  name: "claim-past-check-of-transaction-start",
  story:
    "clock_timestamp() was replaced by now(), as everywhere else. A claim that waits for the " +
    "lock while its slot begins books a slot of the past.",
  judge: "linearizability",
  depth: "routine",
  smallest: { commands: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    `v_now := clock_timestamp();`,
    `v_now := now();`,
  ]),
};
