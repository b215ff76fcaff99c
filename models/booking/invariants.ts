import type { Invariant, JsonObject, Snapshot, Violation } from "../../harness/index.ts";

/** The keys of a snapshot for the rows of the database's consistency functions. */
export const CHECKS = "checks";
export const OFFENDING = "offending";
/** The key for the payments: intent, status, and the number of refunds that the gateway has made. */
export const LEDGER = "ledger";

/**
 * One invariant for each check of the database's consistency functions, and those about the gateway's
 * ledger. A check whose result is missing counts as violated.
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
  invariant(
    "captured_payment_without_booking",
    "A captured payment belongs to a confirmed booking.",
  ),
  invariant("confirmed_booking_without_payment", "A customer's confirmed booking is paid."),
  invariant("booking_with_several_payments", "No booking is paid more than once."),
  ledgerInvariant(
    "payment_refunded_twice",
    "The gateway refunds no payment more than once.",
    ({ refunds }) => Number(refunds) > 1,
  ),
  ledgerInvariant(
    "kept_payment_refunded",
    "A captured payment was not refunded.",
    ({ status, refunds }) => status === "captured" && Number(refunds) > 0,
  ),
  ledgerInvariant(
    "refund_not_made",
    "The gateway has refunded every payment that is recorded as refunded.",
    ({ status, refunds }) => status === "refunded" && Number(refunds) === 0,
  ),
];

function ledgerInvariant(
  name: string,
  description: string,
  isWrong: (payment: JsonObject) => boolean,
): Invariant {
  return {
    name,
    description,
    check(snapshot) {
      const payments = snapshot[LEDGER];
      const wrong = payments?.filter(isWrong) ?? [];
      if (payments !== undefined && wrong.length === 0) return [];
      const intents = wrong.map(({ intent }) => intent).join(", ");
      const message = payments === undefined ? MISSING : `Violated by ${intents}.`;
      return [{ checker: "invariant", name, message, evidence: wrong }];
    },
  };
}

const MISSING = "The check did not run: its result is missing.";

function invariant(name: string, description: string): Invariant {
  return { name, description, check: (snapshot) => check(name, snapshot) };
}

function check(name: string, snapshot: Snapshot): readonly Violation[] {
  const hasName = (row: JsonObject): boolean => row["check_name"] === name;
  const rows = (snapshot[CHECKS] ?? []).filter(hasName);
  if (rows.length > 0 && rows.every((row) => row["status"] === "PASS")) return [];
  const offending = (snapshot[OFFENDING] ?? []).filter(hasName);
  const details = rows.map((row) => String(row["details"])).join(" ");
  return [
    {
      checker: "invariant",
      name,
      message: rows.length === 0 ? MISSING : details,
      evidence: offending.length > 0 ? offending : rows,
    },
  ];
}
