import {
  answerChanged,
  answerRefused,
  bookingAnswer,
  type CorrectAnswer,
  isOwn,
  machinesOnly,
  mayChange,
  mayCreate,
  NOBODY,
  slotAnswer,
  slotAt,
} from "./model-answer.ts";
import {
  type Calendar,
  type CalendarBooking,
  isActive,
  isFree,
  isPast,
  isTaken,
  NEW_HOLD,
  withBookings,
  withPayments,
  withSlot,
} from "./model-calendar.ts";
import type {
  BookingOperation,
  Confirm,
  Create,
  Publish,
  Refund,
  Reschedule,
  Webhook,
} from "./operations.ts";
import { NOTHING_TO_SEND } from "./responses.ts";
import { DECLINED_ATTEMPT, type InitialPayment, intentOf } from "./state.ts";

/*
 * What the booking service has to do, operation by operation: what it answers, and what the calendar is
 * afterwards, if nobody else is there at the same time. With others, the answers have to be those
 * of some order in which the operations could have come one after the other.
 */

/**
 * The answer to a operation. `id` is the one that the service chose for what it makes, if it makes
 * something.
 */
export function answer(calendar: Calendar, operation: BookingOperation, id: number): CorrectAnswer {
  switch (operation.name) {
    // Who gets a slot, and when.
    case "create":
      return create(calendar, operation, id);

    // How bookings are paid.
    case "confirm":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return confirm(calendar, operation.booking.id, operation);

    case "webhook":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return webhook(calendar, operation.booking.id, operation);

    case "refund":
      return refund(calendar, operation);

    // An active booking ends, its slot can be had again, and its payment has to be given back. It
    // ends once: a second cancel is refused.
    case "cancel": {
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      const { by, via } = operation;
      if (via === "http" && by === NOBODY) return answerRefused("UNAUTHENTICATED", calendar);
      const booking = calendar.bookings.get(operation.booking.id);
      if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
      if (!mayChange(booking, by)) return answerRefused("FORBIDDEN", calendar);
      if (!isActive(booking)) return answerRefused("BOOKING_NOT_ACTIVE", calendar);
      return answerChanged("CANCELLED", withRefundDue(calendar, booking.id), {
        ...booking,
        status: "cancelled",
      });
    }

    case "reschedule":
      return reschedule(calendar, operation);

    // Every pending booking whose hold is over by then ends, and its slot can be had again. The
    // answer is how many they were.
    case "expire": {
      const over = [...calendar.bookings.values()].filter(
        ({ status, holdExpiresAt }) =>
          status === "pending" && holdExpiresAt !== null && holdExpiresAt <= operation.at,
      );
      const expired = over.map((booking): CalendarBooking => ({ ...booking, status: "expired" }));
      return {
        code: "EXPIRED",
        body: { expired: over.length },
        after: withBookings(calendar, ...expired),
      };
    }

    case "publish":
      return publish(calendar, operation, id);

    // A provider takes back a slot that nobody has. To take it back twice is to take it back once.
    case "withdraw": {
      if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
      const slot = calendar.slots.get(operation.slot.id);
      if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
      if (isTaken(calendar, slot)) return answerRefused("SLOT_HAS_BOOKING", calendar);
      const after = slot.withdrawn ? calendar : withSlot(calendar, { ...slot, withdrawn: true });
      return { code: "WITHDRAWN", body: slotAnswer(slot), after };
    }

    // The slots of a provider that a create would get, in order of time.
    case "list": {
      const free = [...calendar.slots.values()]
        .filter((slot) => slot.provider === operation.provider && !isPast(calendar, slot))
        .filter((slot) => isFree(calendar, slot))
        .sort((a, b) => inOrder(a.startAt, b.startAt) || inOrder(a.endAt, b.endAt));
      return { code: "SLOTS", body: free.map(slotAnswer), after: calendar };
    }

    // Some slots begin.
    case "elapse":
      return { code: "ELAPSED", body: null, after: { ...calendar, late: true } };
  }
}

/**
 * A provider offers a time. One that is offered already stays as it is, booked or not; one that was
 * withdrawn is offered again.
 */
function publish(
  calendar: Calendar,
  { provider, startAt, endAt }: Publish,
  id: number,
): CorrectAnswer {
  const before = slotAt(calendar, { provider, startAt, endAt });
  if (before !== undefined && !before.withdrawn) {
    return { code: "PUBLISHED", body: slotAnswer(before), after: calendar };
  }
  const slot = { ...(before ?? { id, provider, startAt, endAt }), withdrawn: false };
  return {
    code: "PUBLISHED",
    body: slotAnswer(slot),
    after: withSlot(calendar, slot),
    ...(before === undefined && { makes: "slots" }),
  };
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * A booking is made whole, and holds its slot from then on. One that a customer makes is pending,
 * and its hold ends unless it is confirmed; one that a vendor makes is confirmed. With an
 * idempotency key, a customer's repeated request gets the booking that the first one made, whatever
 * became of it meanwhile; the key cannot be used for another slot.
 */
function create(calendar: Calendar, operation: Create, id: number): CorrectAnswer {
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
  if (slot === undefined && operation.via === "http")
    return answerRefused("SLOT_NOT_FOUND", calendar);

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
function reschedule(calendar: Calendar, operation: Reschedule): CorrectAnswer {
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

/**
 * The customer comes back from the gateway. What counts is what the gateway says of the payment, not
 * what the customer says. Money that came too late for its booking is given back.
 */
function confirm(calendar: Calendar, id: number, { attempt, by }: Confirm): CorrectAnswer {
  if (by === NOBODY) return answerRefused("UNAUTHENTICATED", calendar);
  const booking = calendar.bookings.get(id);
  if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
  if (!mayChange(booking, by)) return answerRefused("FORBIDDEN", calendar);
  if (attempt === DECLINED_ATTEMPT) return answerRefused("PAYMENT_REQUIRED", calendar);
  const intent = intentOf(id, attempt);
  const after = withPayment(calendar, booking, intent, true);
  if (after.payments.get(intent)?.status !== "captured")
    return answerRefused("PAYMENT_REFUNDED", after);
  const confirmed = after.bookings.get(id) ?? booking;
  return { code: "CONFIRMED", body: bookingAnswer(after, confirmed), after };
}

/** The gateway tells of a payment: perhaps again, perhaps late, perhaps in the wrong order. */
function webhook(calendar: Calendar, id: number, operation: Webhook): CorrectAnswer {
  const { attempt, captured, via, by } = operation;
  const stranger = via === "http" ? machinesOnly(by) : undefined;
  if (stranger !== undefined) return answerRefused(stranger, calendar);
  const booking = calendar.bookings.get(id);
  if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
  const after = withPayment(calendar, booking, intentOf(id, attempt), captured);
  return { code: "RECORDED", body: null, after };
}

/**
 * What becomes of a payment and its booking. Captured money confirms a pending booking; one whose
 * hold has expired wins its slot back, if that can still be had. All other captured money has to be
 * given back. Nothing changes what was captured once.
 */
function withPayment(
  calendar: Calendar,
  booking: CalendarBooking,
  intent: string,
  captured: boolean,
): Calendar {
  const before = calendar.payments.get(intent);
  if (before !== undefined && (before.status !== "declined" || !captured)) return calendar;
  const kept = captured && (booking.status === "pending" || winsBack(calendar, booking));
  const status = kept ? "captured" : captured ? "refund_due" : "declined";
  const after = withPayments(calendar, { intent, booking: booking.id, status });
  if (!kept) return after;
  return withBookings(after, {
    ...booking,
    status: "confirmed",
    paymentIntentId: intent,
    holdExpiresAt: null,
  });
}

function winsBack(calendar: Calendar, booking: CalendarBooking): boolean {
  const slot = calendar.slots.get(booking.slot);
  const can = slot !== undefined && isFree(calendar, slot) && !isPast(calendar, slot);
  return booking.status === "expired" && can;
}

/** The payment of a booking that is kept no longer has to be given back. */
function withRefundDue(calendar: Calendar, id: number): Calendar {
  const kept = [...calendar.payments.values()].filter(
    ({ booking, status }) => booking === id && status === "captured",
  );
  return withPayments(
    calendar,
    ...kept.map((one): InitialPayment => ({ ...one, status: "refund_due" })),
  );
}

/** All that has to be given back, is: each payment once. */
function refund(calendar: Calendar, { by }: Refund): CorrectAnswer {
  const stranger = machinesOnly(by);
  if (stranger !== undefined) return answerRefused(stranger, calendar);
  const given = refundsDue(calendar).map(
    (payment): InitialPayment => ({ ...payment, status: "refunded" }),
  );
  return { code: "SETTLED", body: null, after: withPayments(calendar, ...given) };
}

function refundsDue({ payments }: Calendar): readonly InitialPayment[] {
  return [...payments.values()].filter(({ status }) => status === "refund_due");
}

/** Nobody knows how far the giving back got: any of the payments may have been given back. */
export function afterInterruptedRefund(calendar: Calendar): readonly Calendar[] {
  let after = [calendar];
  for (const payment of refundsDue(calendar)) {
    const given: InitialPayment = { ...payment, status: "refunded" };
    after = after.flatMap((it) => [it, withPayments(it, given)]);
  }
  return after.filter((it) => it !== calendar);
}
