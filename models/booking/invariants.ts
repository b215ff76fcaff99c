import type { Invariant, JsonObject, Snapshot, Violation } from "../../harness/index.ts";

/** Names under which a snapshot has the rows of the database's own consistency functions. */
export const CHECKS = "checks";
export const OFFENDING = "offending";

/**
 * One invariant for each check of verify_booking_slot_consistency(). A check that is missing from
 * the snapshot is violated: a verification that does not run must not pass.
 */
export const invariants: readonly Invariant[] = [
  invariant(
    "unavailable_slot_without_booking",
    "A slot that is marked as taken has an active booking.",
  ),
  invariant("slot_with_several_bookings", "A slot has at most one active booking."),
  invariant(
    "booking_without_claimed_slot",
    "The slot of an active booking exists, and is marked as taken.",
  ),
  invariant("overlapping_bookings", "Active bookings of one provider do not overlap."),
];

function invariant(name: string, description: string): Invariant {
  return { name, description, check: (snapshot) => check(name, snapshot) };
}

function check(name: string, snapshot: Snapshot): readonly Violation[] {
  const isOurs = (row: JsonObject): boolean => row["check_name"] === name;
  const rows = (snapshot[CHECKS] ?? []).filter(isOurs);
  if (rows.length > 0 && rows.every((row) => row["status"] === "PASS")) return [];
  const offending = (snapshot[OFFENDING] ?? []).filter(isOurs);
  const details = rows.map((row) => String(row["details"])).join(" ");
  return [
    {
      judge: "invariant",
      name,
      message: rows.length === 0 ? "The check did not run: its result is missing." : details,
      evidence: offending.length > 0 ? offending : rows,
    },
  ];
}
