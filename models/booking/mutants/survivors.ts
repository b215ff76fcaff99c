import type { Survivor } from "../../../harness/index.ts";

/*
 * Mutants of the schema that campaigns do not catch, and the reason for each.
 */

/** For constraints that only fail for direct writes, which no operation makes. */
const CONSTRAINT_TESTS = "src/constraints.pg.test.ts writes rows that it refuses.";

const NO_SUCH_SLOT = "No client names a slot that does not exist;";

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
    "Locks the slots of several expired holds by id, before the update locks them in the order of its " +
      "plan. A deadlock needs two such slots, a transaction that holds one, and another that wants " +
      "both: src/contention.pg.test.ts has this case.",
    [
      "delete-statement expire_holds: perform from availability_slots where id = any (v_slots) order by id for update;",
      "negate-condition expire_holds: where id = any (v_slots)",
      "strip-lock expire_holds: for update (2)",
    ],
  ),
  ...equivalent("Every insert of the functions sets the column, and no update sets it to null.", [
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
  ...equivalent("The column has a default, and later writes are now() or a boolean.", [
    "drop-not-null availability_slots.created_at",
    "drop-not-null availability_slots.is_available",
    "drop-not-null availability_slots.updated_at",
    "drop-not-null bookings.created_at",
    "drop-not-null bookings.updated_at",
    "drop-not-null payments.created_at",
    "drop-not-null payments.updated_at",
    "drop-not-null providers.created_at",
  ]),
  ...equivalent("No operation inserts providers; the service only reads them.", [
    "drop-not-null providers.name",
  ]),
  ...equivalent("Changes only the text in which a check reports violations.", [
    "negate-condition check_slot_booking_consistency: where o.slot_id = b.slot_id and o.status in ('pending', 'confirmed')",
    "negate-condition check_slot_booking_consistency: when s.id is null",
    "negate-condition check_slot_booking_consistency: when s.is_available",
    "negate-condition verify_booking_slot_consistency: when count(found.check_name) = 0 (2)",
    "negate-condition verify_booking_slot_consistency: when count(found.check_name) > 10",
    "negate-condition verify_payment_consistency: when count(found.check_name) = 0 (2)",
    "negate-condition verify_payment_consistency: when count(found.check_name) > 10",
  ]),
];
