import type { Json } from "../../harness/index.ts";
import {
  type Calendar,
  type CalendarBooking,
  type CalendarSlot,
  withBookings,
} from "./model-calendar.ts";
import type { Create, Reference } from "./operations.ts";

/** The correct answer to an operation, and the calendar after it. */
export interface CorrectAnswer {
  readonly code: string;
  /** The HTTP status, if it differs from the usual one of the code. */
  readonly status?: number;
  readonly body: Json;
  /** Set if the operation makes a booking or a slot, whose id must be new. */
  readonly makes?: "bookings" | "slots";
  readonly after: Calendar;
}

export function answerRefused(code: string, calendar: Calendar): CorrectAnswer {
  return { code, body: null, after: calendar };
}

/** A reference that could not be resolved: the client has not made such a thing. */
export function isOwn(reference: Reference): reference is { readonly own: number } {
  return "own" in reference;
}

/** The slot of a provider with these times. There is at most one. */
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

/** The answer of an operation that makes or changes a booking. */
export function answerChanged(
  code: string,
  calendar: Calendar,
  booking: CalendarBooking,
): CorrectAnswer {
  return { code, body: bookingAnswer(calendar, booking), after: withBookings(calendar, booking) };
}

/** A booking in an answer. */
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

/** The sender of a request without a token. */
export const NOBODY = "nobody";

/** Only a booking's customer and vendor may change it. */
export function mayChange(booking: CalendarBooking, by: string | undefined): boolean {
  return by === `customer:${booking.customer}` || by === `vendor:${booking.provider}`;
}

/** The refusal for a sender that is no system, such as the gateway; undefined if it is one. */
export function machinesOnly(by: string | undefined): string | undefined {
  if (by === NOBODY) return "UNAUTHENTICATED";
  return by?.startsWith("system:") ? undefined : "FORBIDDEN";
}

/** Customers create bookings for themselves, vendors in their own calendar. */
export function mayCreate({ by, createdBy, customer }: Create, provider: number): boolean {
  return by === (createdBy === "vendor" ? `vendor:${provider}` : `customer:${customer}`);
}
