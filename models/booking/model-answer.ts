import type { Json } from "../../harness/index.ts";
import {
  type Calendar,
  type CalendarBooking,
  type CalendarSlot,
  withBookings,
} from "./model-calendar.ts";
import type { Create, Reference } from "./operations.ts";

/** What is right to answer, and the calendar after it. */
export interface CorrectAnswer {
  readonly code: string;
  /** The HTTP status, where it is not the usual one of a success (200) or of that refusal. */
  readonly status?: number;
  readonly body: Json;
  /** What is made anew, with an id that nothing of its kind has. */
  readonly makes?: "bookings" | "slots";
  readonly after: Calendar;
}

export function answerRefused(code: string, calendar: Calendar): CorrectAnswer {
  return { code, body: null, after: calendar };
}

/** A client can only name what it was told that it made. */
export function isOwn(reference: Reference): reference is { readonly own: number } {
  return "own" in reference;
}

/** A provider has at most one slot at the same time. */
export function slotAt(
  calendar: Calendar,
  time: Pick<CalendarSlot, "provider" | "startAt" | "endAt">,
): CalendarSlot | undefined {
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
export function answerChanged(
  code: string,
  calendar: Calendar,
  booking: CalendarBooking,
): CorrectAnswer {
  return { code, body: bookingAnswer(calendar, booking), after: withBookings(calendar, booking) };
}

/** A booking as clients are told of it. */
export function bookingAnswer({ slots }: Calendar, booking: CalendarBooking): Json {
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

export function slotAnswer({ id, provider, startAt, endAt }: CalendarSlot): Json {
  return { id: String(id), providerId: String(provider), startAt, endAt };
}

/** Who cannot say who he is. */
export const NOBODY = "nobody";

/** A booking is its customer's and its vendor's to change, and nobody else's. */
export function mayChange(booking: CalendarBooking, by: string | undefined): boolean {
  return by === `customer:${booking.customer}` || by === `vendor:${booking.provider}`;
}

/** What is told whoever is no machine, such as the gateway; undefined if it is one. */
export function machinesOnly(by: string | undefined): string | undefined {
  if (by === NOBODY) return "UNAUTHENTICATED";
  return by?.startsWith("system:") ? undefined : "FORBIDDEN";
}

/** Whether somebody may make such a booking: customers for themselves, vendors in their calendar. */
export function mayCreate({ by, createdBy, customer }: Create, provider: number): boolean {
  return by === (createdBy === "vendor" ? `vendor:${provider}` : `customer:${customer}`);
}
