import { type BookingMutant, rewritten } from "./mutant.ts";

/** A key is looked up among the bookings of all customers. */
export const idempotencyIgnoresCustomer: BookingMutant = {
  name: "idempotency-ignores-customer",
  origin:
    "Keys were assumed to be unique, so the look-up lost the customer. Clients that number their " +
    "requests use the same keys, and a create with another customer's key is refused.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 2, preemptions: 0 },
  sql: rewritten("claim_slot_and_create_booking", [
    `where customer_id = p_customer_id and idempotency_key = p_idempotency_key`,
    `where idempotency_key = p_idempotency_key`,
  ]),
};
