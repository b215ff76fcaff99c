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
export const PAST_DAY = "2001-01-01T09:00:00.000Z";

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
