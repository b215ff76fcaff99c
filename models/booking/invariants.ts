import type { Invariant, JsonObject, Snapshot, Violation } from "../../harness/index.ts";

/** Names under which a snapshot has the rows of the database's own consistency functions. */
export const CHECKS = "checks";
export const OFFENDING = "offending";
/** The payments: intent, status, and how many refunds the gateway has made. */
export const LEDGER = "ledger";

/**
 * One invariant for each check of the database's own consistency functions, and those about what
 * the gateway has done. A check that is missing from the snapshot is violated: a verification that
 * does not run must not pass.
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
    "A payment that is kept belongs to a booking that is confirmed.",
  ),
  invariant("confirmed_booking_without_payment", "A customer's confirmed booking is paid."),
  invariant("booking_with_several_payments", "No booking is paid more than once."),
  ledgerInvariant(
    "payment_refunded_twice",
    "The gateway gives no payment back more than once.",
    ({ refunds }) => Number(refunds) > 1,
  ),
  ledgerInvariant(
    "kept_payment_refunded",
    "A payment that is kept was not given back.",
    ({ status, refunds }) => status === "captured" && Number(refunds) > 0,
  ),
  ledgerInvariant(
    "refund_not_made",
    "The gateway has given back what is recorded as refunded.",
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
      const message = payments === undefined ? MISSING : `Not so: ${intents}.`;
      return [{ checker: "invariant", name, message, evidence: wrong }];
    },
  };
}

const MISSING = "The check did not run: its result is missing.";

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
      checker: "invariant",
      name,
      message: rows.length === 0 ? MISSING : details,
      evidence: offending.length > 0 ? offending : rows,
    },
  ];
}
