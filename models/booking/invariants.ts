import type { ServiceInvariant, ServiceInvariantContext } from "../../harness/index.ts";
import type { Gateway } from "./service.ts";

/** The rows that one check of the database's consistency functions reports. */
const check = (routine: string, name: string) =>
  `select * from ${routine}() where check_name = '${name}'`;

const slots = (name: string) => check("check_slot_booking_consistency", name);
const payments = (name: string) => check("check_payment_consistency", name);

interface Payment {
  readonly intent: string;
  readonly status: string;
  /** How often the gateway has refunded it. */
  readonly refunds: number;
}

/** An invariant about payments and the gateway's ledger. */
function ledger(isWrong: (payment: Payment) => boolean): ServiceInvariant<Gateway> {
  return async (context) => {
    const all = known.get(context) ?? paymentsOf(context);
    known.set(context, all);
    return (await all).filter(isWrong);
  };
}

/** By observation: read once for several invariants. */
const known = new WeakMap<object, Promise<readonly Payment[]>>();

async function paymentsOf({ query, outside }: ServiceInvariantContext<Gateway>) {
  const refunds = new Map(outside.ledger().map((entry) => [entry.intent, entry.refunds]));
  const rows = await query("select intent, status from payments order by intent");
  return rows.map((row) => {
    const [intent, status] = [String(row["intent"]), String(row["status"])];
    return { intent, status, refunds: refunds.get(intent) ?? 0 };
  });
}

export const invariants = {
  /** A slot that is marked as taken has an active booking. */
  unavailable_slot_without_booking: slots("unavailable_slot_without_booking"),
  slot_with_several_bookings: slots("slot_with_several_bookings"),
  /** The slot of an active booking exists, and is marked as taken. */
  booking_without_claimed_slot: slots("booking_without_claimed_slot"),
  overlapping_bookings: slots("overlapping_bookings"),
  captured_payment_without_booking: payments("captured_payment_without_booking"),
  /** A customer's confirmed booking is paid. */
  confirmed_booking_without_payment: payments("confirmed_booking_without_payment"),
  booking_with_several_payments: payments("booking_with_several_payments"),
  payment_refunded_twice: ledger(({ refunds }) => refunds > 1),
  kept_payment_refunded: ledger(({ status, refunds }) => status === "captured" && refunds > 0),
  /** The gateway has refunded every payment that is recorded as refunded. */
  refund_not_made: ledger(({ status, refunds }) => status === "refunded" && refunds === 0),
};
