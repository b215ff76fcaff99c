import type { Survivor } from "../../harness/index.ts";

/*
 * Mutants of the schema that campaigns do not notice, and what we found when we looked at each.
 */

/** Refused by tests that write past the functions, as no command can. */
const CONSTRAINT_TESTS = "src/constraints.pg.test.ts writes what it refuses.";

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
    "drop-index idx_bookings_provider_time_unique",
  ]),
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
  ...equivalent("The migration tool's own record, which nobody reads once it has run.", [
    "drop-constraint migrations.applied.applied_pkey",
    "drop-not-null migrations.applied.name",
    "drop-not-null migrations.applied.run_on",
  ]),
];
