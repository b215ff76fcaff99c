import type { Survivor } from "../../harness/index.ts";

/*
 * Mutants of the schema that campaigns do not notice, and what we found when we looked at each.
 */

/** Refused by tests that write past the functions, as no operation can. */
const CONSTRAINT_TESTS = "src/constraints.pg.test.ts writes what it refuses.";

const NO_SUCH_SLOT = "No client names a slot that is not there;";

const tested = (reason: string, ids: readonly string[]): readonly Survivor[] =>
  ids.map((id) => ({ id, verdict: "tested", reason }));

const equivalent = (reason: string, ids: readonly string[]): readonly Survivor[] =>
  ids.map((id) => ({ id, verdict: "equivalent", reason }));

export const survivors: readonly Survivor[] = [
  ...tested(CONSTRAINT_TESTS, [
    "drop-constraint availability_slots.availability_slots_pkey",
    "drop-constraint availability_slots.availability_slots_provider_fkey",
    "drop-constraint availability_slots.availability_slots_time_order",
    "drop-constraint availability_slots.availability_slots_withdrawn_is_unavailable",
    "drop-constraint bookings.bookings_created_by_known",
    "drop-constraint bookings.bookings_no_overlap_provider_time",
    "drop-constraint bookings.bookings_slot_fkey",
    "drop-constraint bookings.bookings_status_known",
    "drop-constraint payments.payments_booking_fkey",
    "drop-constraint payments.payments_status_known",
    "drop-index idx_bookings_provider_time_unique",
    "drop-index idx_payments_booking_captured",
  ]),
  ...tested(`${NO_SUCH_SLOT} src/claim.pg.test.ts does.`, [
    "delete-statement claim_slot_and_create_booking: if not found then raise exception 'Slot not found' using errcode = 'BK001', det…",
    "delete-statement claim_slot_and_create_booking: raise exception 'Slot not found' using errcode = 'BK001', detail = format('Ther…",
  ]),
  ...tested(`${NO_SUCH_SLOT} src/reschedule.pg.test.ts does.`, [
    "delete-statement reschedule_booking: if not found then raise exception 'Slot not found' using errcode = 'BK001', det…",
    "delete-statement reschedule_booking: raise exception 'Slot not found' using errcode = 'BK001', detail = format('Ther…",
  ]),
  ...tested(`${NO_SUCH_SLOT} src/slots.pg.test.ts does.`, [
    "delete-statement withdraw_slot: if not found then raise exception 'Slot not found' using errcode = 'BK001', det…",
    "delete-statement withdraw_slot: raise exception 'Slot not found' using errcode = 'BK001', detail = format('Ther…",
  ]),
  ...tested("No client pays one booking with another's payment; src/payments.pg.test.ts does.", [
    "delete-statement record_payment: if not found then raise exception 'Payment is for a different booking' using er…",
    "delete-statement record_payment: raise exception 'Payment is for a different booking' using errcode = 'BK009', d…",
  ]),
  ...tested(
    "Locks the slots of several ended holds in the order of their ids, before the update does in the " +
      "order of its plan. It takes two such slots, somebody who holds one, and somebody else who wants " +
      "both, to deadlock: src/contention.pg.test.ts brings them together.",
    [
      "delete-statement expire_holds: perform from availability_slots where id = any (v_slots) order by id for update;",
      "negate-condition expire_holds: where id = any (v_slots)",
      "strip-lock expire_holds: for update (2)",
    ],
  ),
  ...equivalent("Every insert of the functions gives it a value, and no update takes that away.", [
    "drop-not-null availability_slots.end_at",
    "drop-not-null availability_slots.provider_id",
    "drop-not-null availability_slots.start_at",
    "drop-not-null bookings.created_by",
    "drop-not-null bookings.customer_id",
    "drop-not-null bookings.customer_name",
    "drop-not-null bookings.end_at",
    "drop-not-null bookings.provider_id",
    "drop-not-null bookings.slot_id",
    "drop-not-null bookings.start_at",
    "drop-not-null bookings.status",
    "drop-not-null payments.booking_id",
    "drop-not-null payments.status",
  ]),
  ...equivalent(
    "It has a default, and whatever is written to it later is now() or a truth value.",
    [
      "drop-not-null availability_slots.created_at",
      "drop-not-null availability_slots.is_available",
      "drop-not-null availability_slots.updated_at",
      "drop-not-null bookings.created_at",
      "drop-not-null bookings.updated_at",
      "drop-not-null payments.created_at",
      "drop-not-null payments.updated_at",
      "drop-not-null providers.created_at",
    ],
  ),
  ...equivalent("Providers come from operations; the service only reads them.", [
    "drop-not-null providers.name",
  ]),
  ...equivalent("Only the words in which a check tells of what it found.", [
    "negate-condition check_slot_booking_consistency: where o.slot_id = b.slot_id and o.status in ('pending', 'confirmed')",
    "negate-condition check_slot_booking_consistency: when s.id is null",
    "negate-condition check_slot_booking_consistency: when s.is_available",
    "negate-condition verify_booking_slot_consistency: when count(found.check_name) = 0 (2)",
    "negate-condition verify_booking_slot_consistency: when count(found.check_name) > 10",
    "negate-condition verify_payment_consistency: when count(found.check_name) = 0 (2)",
    "negate-condition verify_payment_consistency: when count(found.check_name) > 10",
  ]),
  ...equivalent("The migration tool's own record, which nobody reads once it has run.", [
    "drop-constraint migrations.applied.applied_pkey",
    "drop-not-null migrations.applied.name",
    "drop-not-null migrations.applied.run_on",
  ]),
];
