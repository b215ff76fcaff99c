import { type BookingMutant, rewritten } from "./mutant.ts";

/** A key that appears after the look-up causes a server error. */
export const idempotencyConflictUnhandled: BookingMutant = {
  name: "idempotency-conflict-unhandled",
  origin:
    "The insert's conflict clause looked like dead code, since the key is looked up before. " +
    "It is needed when two creates with one key run for two slots.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    `  on conflict (customer_id, idempotency_key) where idempotency_key is not null do nothing
`,
    ``,
  ]),
};
