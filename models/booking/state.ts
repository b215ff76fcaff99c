import type { Arbitrary } from "fast-check";
import fc from "fast-check";

/**
 * The state in which a scenario begins. Ids are 1, 2, … in the order of each list. All times are
 * far in the past or far in the future, so that no execution depends on when it runs.
 */
export type BookingState = {
  readonly providers: readonly InitialProvider[];
  readonly slots: readonly InitialSlot[];
  readonly bookings: readonly InitialBooking[];
  readonly payments: readonly InitialPayment[];
};

export type InitialProvider = { readonly id: number; readonly name: string };

/** Times are ISO 8601 in UTC, here and below. The slot is the half-open range [start, end). */
export type InitialSlot = {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
  readonly available: boolean;
  /** A withdrawn slot is not available, and no booking claimed it. */
  readonly withdrawn: boolean;
};

export type BookingStatus = "pending" | "confirmed" | "cancelled" | "completed" | "expired";

export type InitialBooking = {
  readonly id: number;
  readonly slot: number;
  readonly customer: string;
  readonly customerName: string;
  readonly notes: string;
  readonly status: BookingStatus;
  readonly createdBy: "customer" | "vendor";
  /** When the hold of a pending booking ends; null for all others. */
  readonly holdExpiresAt: string | null;
};

/** What is recorded of a payment. The gateway knows of it too, and has given back what is refunded. */
export type InitialPayment = {
  /** By `intentOf`. */
  readonly intent: string;
  readonly booking: number;
  readonly status: "captured" | "refund_due" | "refunded" | "declined";
};

/**
 * A customer may try to pay a booking more than once; each try has an intent of its own. The
 * gateway takes the money of all but the third, whenever it is asked.
 */
export const DECLINED_ATTEMPT = 3;

export function intentOf(booking: number, attempt: number): string {
  return `pi_${booking}_${attempt}`;
}

/** Future slots begin on this day or later, past ones on `PAST_DAY` or shortly after. */
export const FUTURE_DAY = "2100-01-04T09:00:00.000Z";
/** Slots of this day are future ones until time elapses. */
export const SOON_DAY = "2050-01-03T09:00:00.000Z";
const PAST_DAY = "2001-01-01T09:00:00.000Z";

/**
 * The time that `expire` takes for now: like the service's own calls, one that is not still to come.
 * Holds that were over long ago have expired by then, and those that run have not, among them those
 * that a scenario's own operations make: what is booked while an `expire` is under way is not its concern
 * (expire.pg.test.ts has what would happen otherwise).
 */
export const EXPIRY_TIME = "2002-01-01T00:00:00.000Z";
export const LAPSED_HOLD = "2001-06-01T00:00:00.000Z";
export const RUNNING_HOLD = "2099-06-01T00:00:00.000Z";

/** An active booking claims its slot. */
export function isActive(booking: InitialBooking): boolean {
  return booking.status === "pending" || booking.status === "confirmed";
}

/** Whether it begins in the past. */
export function isPast(slot: InitialSlot): boolean {
  return slot.startAt < SOON_DAY;
}

/** Whether two different slots of one provider share some time. */
export function overlap(a: InitialSlot, b: InitialSlot): boolean {
  return a.id !== b.id && a.provider === b.provider && a.startAt < b.endAt && b.startAt < a.endAt;
}

/** Whether one slot begins the moment another of the same provider ends. */
export function adjacent(a: InitialSlot, b: InitialSlot): boolean {
  return a.provider === b.provider && (a.endAt === b.startAt || b.endAt === a.startAt);
}

/** One slot of an initial state, relative to the slot before it. */
export interface SlotPlan {
  /** Of the same provider as the slot before it, or of the other one. */
  readonly sameProvider: boolean;
  /** Half hours from the start of the slot before it. A slot takes an hour. */
  readonly gap: number;
  readonly past: boolean;
  /** It is a future one until time elapses. */
  readonly soon?: boolean;
  /**
   * `lapsed`: pending, with a hold that is over. `cancelled`, `expired` and `refund`: free, after a
   * booking; after `refund` its payment has to be given back. A `confirmed` booking is paid.
   */
  readonly outcome:
    | "free"
    | "cancelled"
    | "expired"
    | "refund"
    | "pending"
    | "lapsed"
    | "confirmed"
    | "withdrawn";
}

export const OVERLAPPING = 1;
export const ADJACENT = 2;
export const APART = 48;

type Fixed = { readonly [K in keyof SlotPlan]?: readonly SlotPlan[K][] };

/** A slot with the given choices for what matters, and the usual ones for the rest. */
function slotPlan(fixed: Fixed): Arbitrary<SlotPlan> {
  return fc.record({
    sameProvider: fc.constantFrom(...(fixed.sameProvider ?? [true, true, true, false])),
    gap: fc.constantFrom(...(fixed.gap ?? [OVERLAPPING, ADJACENT, ADJACENT, APART])),
    past: fc.constantFrom(...(fixed.past ?? [...Array<boolean>(15).fill(false), true])),
    outcome: fc.constantFrom<SlotPlan["outcome"]>(
      ...(fixed.outcome ?? [
        ...(["free", "free", "free", "free", "free", "cancelled", "expired", "refund"] as const),
        ...(["pending", "pending", "lapsed", "confirmed", "confirmed", "withdrawn"] as const),
      ]),
    ),
  });
}

const MOST_SLOTS = 4;

/** One to four slots, of which the first ones are as `fixed` says. */
export function slotPlans(fixed: readonly Fixed[]): Arbitrary<readonly SlotPlan[]> {
  const others = fc.array(slotPlan({}), {
    minLength: fixed.length === 0 ? 1 : 0,
    maxLength: MOST_SLOTS - fixed.length,
    size: "max",
  });
  return fc
    .tuple(fc.tuple(...fixed.map(slotPlan)), others)
    .map(([first, rest]) => [...first, ...rest]);
}

const HALF_HOUR = 30 * 60 * 1000;

/** `halfHours` after the first slot of the future, or of another day. */
export function at(halfHours: number, day = FUTURE_DAY): string {
  return new Date(Date.parse(day) + halfHours * HALF_HOUR).toISOString();
}

function dayOf({ past, soon = false }: SlotPlan): string {
  return past ? PAST_DAY : soon ? SOON_DAY : FUTURE_DAY;
}

/**
 * The state that the plans describe, names and notes left empty. Where an active booking would
 * overlap an earlier one, its slot is free instead: every initial state is consistent.
 */
export function initialState(plans: readonly SlotPlan[]): BookingState {
  const slots: InitialSlot[] = [];
  const bookings: InitialBooking[] = [];
  const payments: InitialPayment[] = [];
  let start = 0;
  for (const plan of plans) {
    const before = slots.at(-1);
    const provider =
      before === undefined ? 1 : plan.sameProvider ? before.provider : 3 - before.provider;
    if (before !== undefined) start += plan.gap;
    const free: InitialSlot = {
      id: slots.length + 1,
      provider,
      startAt: at(start, dayOf(plan)),
      endAt: at(start + 2, dayOf(plan)),
      available: true,
      withdrawn: false,
    };
    const booking = bookingOn(free, plan.outcome, bookings.length + 1);
    const active = booking !== undefined && isActive(booking);
    const collides = active && slots.some((s) => overlap(s, free) && isClaimed(s));
    if (booking !== undefined && !collides) {
      bookings.push(booking);
      payments.push(...paymentsOf(booking, plan.outcome));
    }
    const withdrawn = plan.outcome === "withdrawn";
    slots.push({ ...free, withdrawn, available: !withdrawn && (!active || collides) });
  }
  const providers = [1, 2].slice(0, Math.max(...slots.map((s) => s.provider)));
  return { providers: providers.map((id) => ({ id, name: "" })), slots, bookings, payments };
}

function isClaimed(slot: InitialSlot): boolean {
  return !slot.available && !slot.withdrawn;
}

function bookingOn(
  slot: InitialSlot,
  outcome: SlotPlan["outcome"],
  id: number,
): InitialBooking | undefined {
  if (outcome === "free" || outcome === "withdrawn") return undefined;
  return {
    id,
    slot: slot.id,
    customer: `customer-${((id - 1) % 3) + 1}`,
    customerName: "",
    notes: "",
    status: outcome === "lapsed" ? "pending" : outcome === "refund" ? "cancelled" : outcome,
    createdBy: "customer",
    holdExpiresAt: outcome === "pending" ? RUNNING_HOLD : outcome === "lapsed" ? LAPSED_HOLD : null,
  };
}

function paymentsOf({ id }: InitialBooking, outcome: SlotPlan["outcome"]): InitialPayment[] {
  if (outcome !== "confirmed" && outcome !== "refund") return [];
  const status = outcome === "confirmed" ? "captured" : "refund_due";
  return [{ intent: intentOf(id, 1), booking: id, status }];
}
