import { type BookingMutant, rewritten } from "./mutant.ts";

/** A key that appears after it was looked up is an error of the server. */
export const idempotencyConflictUnhandled: BookingMutant = {
  name: "idempotency-conflict-unhandled",
  story:
    "The clause at the insert looked like dead code: the key was looked up before. It is not " +
    "when two creates with one key are under way for two slots.",
  checker: "contract",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    `  on conflict (customer_id, idempotency_key) where idempotency_key is not null do nothing
`,
    ``,
  ]),
};
