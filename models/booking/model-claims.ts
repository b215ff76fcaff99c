import { NOTHING_TO_SEND } from "./codes.ts";
import { mayChange, mayCreate, NOBODY } from "./model-access.ts";
import { type CorrectAnswer, bookingAnswer, answerChanged, isOwn, answerRefused, slotAt } from "./model-answer.ts";
import {
  type CalendarBooking,
  type Calendar,
  isActive,
  isFree,
  isPast,
  NEW_HOLD,
} from "./model-calendar.ts";
import type { Create, Reschedule } from "./operations.ts";

/**
 * A booking is made whole, and holds its slot from then on. One that a customer makes is pending,
 * and its hold ends unless it is confirmed; one that a vendor makes is confirmed. With an
 * idempotency key, a customer's repeated request gets the booking that the first one made, whatever
 * became of it meanwhile; the key cannot be used for another slot.
 */
export function create(calendar: Calendar, operation: Create, id: number): CorrectAnswer {
  if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
  const named = calendar.slots.get(operation.slot.id);
  const provider = operation.provider ?? named?.provider;
  // Over HTTP a slot is named by its provider and times; a function is given its id.
  const slot =
    operation.via === "function" || named === undefined
      ? named
      : slotAt(calendar, { ...named, provider: provider ?? named.provider });
  if (operation.via === "http") {
    if (operation.by === NOBODY) return answerRefused("UNAUTHENTICATED", calendar);
    if (!mayCreate(operation, provider ?? 0)) return answerRefused("FORBIDDEN", calendar);
  }
  if (slot === undefined && operation.via === "http") return answerRefused("SLOT_NOT_FOUND", calendar);

  const { idempotencyKey = null, customer } = operation;
  const made = idempotencyKey === null ? undefined : madeWith(calendar, customer, idempotencyKey);
  if (made !== undefined) {
    const same = made.provider === provider && made.requestedSlot === (slot ?? operation.slot).id;
    if (!same) return answerRefused("IDEMPOTENCY_KEY_REUSED", calendar);
    return { code: "CREATED", body: bookingAnswer(calendar, made), after: calendar };
  }

  if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== provider) return answerRefused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return answerRefused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot)) return answerRefused("BOOKING_CONFLICT", calendar);

  const byVendor = operation.createdBy === "vendor";
  const { customerName, notes, createdBy, paymentIntentId = null } = operation;
  const booking: CalendarBooking = {
    id,
    slot: slot.id,
    provider: slot.provider,
    customer,
    customerName,
    notes,
    status: byVendor ? "confirmed" : "pending",
    createdBy,
    holdExpiresAt: byVendor ? null : NEW_HOLD,
    idempotencyKey,
    requestedSlot: idempotencyKey === null ? null : slot.id,
    paymentIntentId,
  };
  return { ...answerChanged("CREATED", calendar, booking), status: 201, makes: "bookings" };
}

/**
 * An active booking moves to another free slot of the same provider that has not begun, and the
 * slot that it had can be had again: never both, never neither. To where it is already, it moves
 * without anything happening.
 */
export function reschedule(calendar: Calendar, operation: Reschedule): CorrectAnswer {
  if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
  if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
  if (operation.via === "http" && operation.by === NOBODY)
    return answerRefused("UNAUTHENTICATED", calendar);
  const booking = calendar.bookings.get(operation.booking.id);
  if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
  if (!mayChange(booking, operation.by)) return answerRefused("FORBIDDEN", calendar);
  if (!isActive(booking)) return answerRefused("BOOKING_NOT_ACTIVE", calendar);
  if (booking.slot === operation.slot.id) {
    return { code: "RESCHEDULED", body: bookingAnswer(calendar, booking), after: calendar };
  }
  const slot = calendar.slots.get(operation.slot.id);
  if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== booking.provider) return answerRefused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return answerRefused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot, booking)) return answerRefused("BOOKING_CONFLICT", calendar);
  return answerChanged("RESCHEDULED", calendar, { ...booking, slot: slot.id });
}

/** The booking that a customer made with a key. */
function madeWith(calendar: Calendar, customer: string, key: string): CalendarBooking | undefined {
  for (const booking of calendar.bookings.values()) {
    if (booking.customer === customer && booking.idempotencyKey === key) return booking;
  }
  return undefined;
}
