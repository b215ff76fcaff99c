import type { Json } from "../../harness/index.ts";
import { type Booking, type Calendar, type Slot, withBookings } from "./model-calendar.ts";
import type { Reference } from "./operations.ts";

/** What is right to answer, and the calendar after it. */
export interface Answer {
  readonly code: string;
  /** The HTTP status, where it is not the usual one of a success (200) or of that refusal. */
  readonly status?: number;
  readonly body: Json;
  /** What is made anew, with an id that nothing of its kind has. */
  readonly makes?: "bookings" | "slots";
  readonly after: Calendar;
}

export function refused(code: string, calendar: Calendar): Answer {
  return { code, body: null, after: calendar };
}

/** A client can only name what it was told that it made. */
export function isOwn(reference: Reference): reference is { readonly own: number } {
  return "own" in reference;
}

/** A provider has at most one slot at the same time. */
export function slotAt(
  calendar: Calendar,
  time: Pick<Slot, "provider" | "startAt" | "endAt">,
): Slot | undefined {
  for (const slot of calendar.slots.values()) {
    if (
      slot.provider === time.provider &&
      slot.startAt === time.startAt &&
      slot.endAt === time.endAt
    ) {
      return slot;
    }
  }
  return undefined;
}

/** A booking is new, or different, and the client is told of it. */
export function changed(code: string, calendar: Calendar, booking: Booking): Answer {
  return { code, body: asSeen(calendar, booking), after: withBookings(calendar, booking) };
}

/** A booking as clients are told of it. */
export function asSeen({ slots }: Calendar, booking: Booking): Json {
  const slot = slots.get(booking.slot);
  return {
    id: String(booking.id),
    slotId: String(booking.slot),
    providerId: String(booking.provider),
    status: booking.status,
    startAt: slot?.startAt ?? null,
    endAt: slot?.endAt ?? null,
    customerId: booking.customer,
    idempotencyKey: booking.idempotencyKey,
    paymentIntentId: booking.paymentIntentId,
    createdBy: booking.createdBy,
  };
}

export function slotAsSeen({ id, provider, startAt, endAt }: Slot): Json {
  return { id: String(id), providerId: String(provider), startAt, endAt };
}
