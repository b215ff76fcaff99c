import { NOTHING_TO_SEND } from "./codes.ts";
import { isOf, mayCreate, NOBODY } from "./model-access.ts";
import { type Answer, asSeen, changed, isOwn, refused, slotAt } from "./model-answer.ts";
import {
  type Booking,
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
export function create(calendar: Calendar, operation: Create, id: number): Answer {
  if (isOwn(operation.slot)) return refused(NOTHING_TO_SEND.slot, calendar);
  const named = calendar.slots.get(operation.slot.id);
  const provider = operation.provider ?? named?.provider;
  // Over HTTP a slot is named by its provider and times; a function is given its id.
  const slot =
    operation.via === "function" || named === undefined
      ? named
      : slotAt(calendar, { ...named, provider: provider ?? named.provider });
  if (operation.via === "http") {
    if (operation.by === NOBODY) return refused("UNAUTHENTICATED", calendar);
    if (!mayCreate(operation, provider ?? 0)) return refused("FORBIDDEN", calendar);
  }
  if (slot === undefined && operation.via === "http") return refused("SLOT_NOT_FOUND", calendar);

  const { idempotencyKey = null, customer } = operation;
  const made = idempotencyKey === null ? undefined : madeWith(calendar, customer, idempotencyKey);
  if (made !== undefined) {
    const same = made.provider === provider && made.requestedSlot === (slot ?? operation.slot).id;
    if (!same) return refused("IDEMPOTENCY_KEY_REUSED", calendar);
    return { code: "CREATED", body: asSeen(calendar, made), after: calendar };
  }

  if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== provider) return refused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return refused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot)) return refused("BOOKING_CONFLICT", calendar);

  const byVendor = operation.createdBy === "vendor";
  const { customerName, notes, createdBy, paymentIntentId = null } = operation;
  const booking: Booking = {
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
  return { ...changed("CREATED", calendar, booking), status: 201, makes: "bookings" };
}

/**
 * An active booking moves to another free slot of the same provider that has not begun, and the
 * slot that it had can be had again: never both, never neither. To where it is already, it moves
 * without anything happening.
 */
export function reschedule(calendar: Calendar, operation: Reschedule): Answer {
  if (isOwn(operation.booking)) return refused(NOTHING_TO_SEND.booking, calendar);
  if (isOwn(operation.slot)) return refused(NOTHING_TO_SEND.slot, calendar);
  if (operation.via === "http" && operation.by === NOBODY)
    return refused("UNAUTHENTICATED", calendar);
  const booking = calendar.bookings.get(operation.booking.id);
  if (booking === undefined) return refused("BOOKING_NOT_FOUND", calendar);
  if (!isOf(booking, operation.by)) return refused("FORBIDDEN", calendar);
  if (!isActive(booking)) return refused("BOOKING_NOT_ACTIVE", calendar);
  if (booking.slot === operation.slot.id) {
    return { code: "RESCHEDULED", body: asSeen(calendar, booking), after: calendar };
  }
  const slot = calendar.slots.get(operation.slot.id);
  if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== booking.provider) return refused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return refused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot, booking)) return refused("BOOKING_CONFLICT", calendar);
  return changed("RESCHEDULED", calendar, { ...booking, slot: slot.id });
}

/** The booking that a customer made with a key. */
function madeWith(calendar: Calendar, customer: string, key: string): Booking | undefined {
  for (const booking of calendar.bookings.values()) {
    if (booking.customer === customer && booking.idempotencyKey === key) return booking;
  }
  return undefined;
}
