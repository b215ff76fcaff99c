import { type BookingMutant, rewritten } from "./mutant.ts";

/** A repeated create is compared with the booking's current slot. */
export const idempotencyComparesCurrentSlot: BookingMutant = {
  name: "idempotency-compares-current-slot",
  origin:
    "The column with the requested slot looked redundant beside the slot. A late repeat of a " +
    "create whose booking has moved is refused as another request.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 3, preemptions: 0 },
  sql: rewritten("claim_slot_and_create_booking", [
    `coalesce(v_booking.idempotency_slot_id, v_booking.slot_id)`,
    `v_booking.slot_id`,
  ]),
};
