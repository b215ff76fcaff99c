import type { Arbitrary } from "fast-check";
import fc from "fast-check";

/**
 * The initial state of a scenario. Ids are 1, 2, … in the order of each list. All times are far in the
 * past or far in the future, so that executions do not depend on the current time.
 */
export type BookingState = {
  readonly providers: readonly InitialProvider[];
  readonly slots: readonly InitialSlot[];
  readonly bookings: readonly InitialBooking[];
  readonly payments: readonly InitialPayment[];
};

export type InitialProvider = { readonly id: number; readonly name: string };

/** Times are ISO 8601 in UTC. The slot is the half-open range [start, end). */
export type InitialSlot = {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
  readonly available: boolean;
  /** A withdrawn slot is not available and has no active booking. */
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

/** A recorded payment. The gateway's ledger has it too, with a refund if it is `refunded`. */
export type InitialPayment = {
  /** See `intentOf`. */
  readonly intent: string;
  readonly booking: number;
  readonly status: "captured" | "refund_due" | "refunded" | "declined";
};

/**
 * The attempt to pay that the gateway declines. A customer may try to pay a booking several times, each
 * time with another intent; the gateway captures all other attempts.
 */
export const DECLINED_ATTEMPT = 3;

export function intentOf(booking: number, attempt: number): string {
  return `pi_${booking}_${attempt}`;
}

/** Future slots begin on this day or later. */
export const FUTURE_DAY = "2100-01-04T09:00:00.000Z";
/** Slots of this day are in the future until `elapse`. */
export const SOON_DAY = "2050-01-03T09:00:00.000Z";
/** Past slots begin on this day. */
const PAST_DAY = "2001-01-01T09:00:00.000Z";

/**
 * The time that `expire` gets. It is in the past, as in the service's own calls, so that no booking made
 * during an `expire` concerns it (expire.pg.test.ts shows the alternative). `LAPSED_HOLD` is over by
 * then; `RUNNING_HOLD` and the holds of new bookings are not.
 */
export const EXPIRY_TIME = "2002-01-01T00:00:00.000Z";
export const LAPSED_HOLD = "2001-06-01T00:00:00.000Z";
export const RUNNING_HOLD = "2099-06-01T00:00:00.000Z";

/** Whether a booking takes its slot. */
export function isActive(booking: InitialBooking): boolean {
  return booking.status === "pending" || booking.status === "confirmed";
}

/** Whether a slot has begun. */
export function isPast(slot: InitialSlot): boolean {
  return slot.startAt < SOON_DAY;
}

/** Whether two different slots of one provider overlap. */
export function overlap(a: InitialSlot, b: InitialSlot): boolean {
  return a.id !== b.id && a.provider === b.provider && a.startAt < b.endAt && b.startAt < a.endAt;
}

/** Whether one slot begins when another of the same provider ends. */
export function adjacent(a: InitialSlot, b: InitialSlot): boolean {
  return a.provider === b.provider && (a.endAt === b.startAt || b.endAt === a.startAt);
}

/** A slot of an initial state, relative to the slot before it. */
export interface SlotPlan {
  /** Whether it has the same provider as the slot before it. There are two providers. */
  readonly sameProvider: boolean;
  /** Half hours from the start of the slot before it. A slot is an hour long. */
  readonly gap: number;
  readonly past: boolean;
  /** Whether it is on `SOON_DAY`. */
  readonly soon?: boolean;
  /**
   * - `cancelled`, `expired`: free, after a booking with this status.
   * - `refund`: free, after a cancelled booking whose payment is due for a refund.
   * - `pending`, `lapsed`: booked, with a hold that runs or is over.
   * - `confirmed`: booked and paid.
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

/** The choices for some fields of a slot plan. */
type Fixed = { readonly [K in keyof SlotPlan]?: readonly SlotPlan[K][] };

/** A slot plan with the given choices; the other fields are drawn with the default weights. */
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

const MAX_SLOTS = 4;

/** One to four slots. `fixed` constrains the first ones. */
export function slotPlans(fixed: readonly Fixed[]): Arbitrary<readonly SlotPlan[]> {
  const others = fc.array(slotPlan({}), {
    minLength: fixed.length === 0 ? 1 : 0,
    maxLength: MAX_SLOTS - fixed.length,
    size: "max",
  });
  return fc
    .tuple(fc.tuple(...fixed.map(slotPlan)), others)
    .map(([first, rest]) => [...first, ...rest]);
}

const HALF_HOUR = 30 * 60 * 1000;

/** The time `halfHours` after the start of `day`. */
export function at(halfHours: number, day = FUTURE_DAY): string {
  return new Date(Date.parse(day) + halfHours * HALF_HOUR).toISOString();
}

function dayOf({ past, soon = false }: SlotPlan): string {
  return past ? PAST_DAY : soon ? SOON_DAY : FUTURE_DAY;
}

/**
 * The state that the plans describe, with empty names and notes. A slot whose active booking would
 * overlap an earlier one is free instead, so that every initial state is consistent.
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
