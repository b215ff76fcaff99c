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
 * The sequential specification: for each operation the correct answer and the calendar after it. A
 * concurrent history is correct if some sequential order of its operations gives the same answers.
 */

/** The correct answer to an operation. `id` is the id that the service chose for a new object. */
export function answer(calendar: Calendar, operation: BookingOperation, id: number): CorrectAnswer {
  switch (operation.name) {
    case "create":
      return create(calendar, operation, id);

    case "confirm":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return confirm(calendar, operation.booking.id, operation);

    case "webhook":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return webhook(calendar, operation.booking.id, operation);

    case "refund":
      return refund(calendar, operation);

    // Ends an active booking, frees its slot, and makes its payment due for a refund. A second cancel is
    // refused.
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

    // Ends every pending booking whose hold is over at `at`, and frees its slot. Answers their number.
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

    // Withdraws a slot that is not booked. A repeat changes nothing.
    case "withdraw": {
      if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
      const slot = calendar.slots.get(operation.slot.id);
      if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
      if (isTaken(calendar, slot)) return answerRefused("SLOT_HAS_BOOKING", calendar);
      const after = slot.withdrawn ? calendar : withSlot(calendar, { ...slot, withdrawn: true });
      return { code: "WITHDRAWN", body: slotAnswer(slot), after };
    }

    // Lists the slots of a provider that a create can book, in order of time.
    case "list": {
      const free = [...calendar.slots.values()]
        .filter((slot) => slot.provider === operation.provider && !isPast(calendar, slot))
        .filter((slot) => isFree(calendar, slot))
        .sort((a, b) => inOrder(a.startAt, b.startAt) || inOrder(a.endAt, b.endAt));
      return { code: "SLOTS", body: free.map(slotAnswer), after: calendar };
    }

    // The slots of `SOON_DAY` begin.
    case "elapse":
      return { code: "ELAPSED", body: null, after: { ...calendar, late: true } };
  }
}

/** Publishes a slot. A published one stays as it is, booked or not; a withdrawn one is published again. */
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
 * Makes a booking, which takes its slot. A customer's booking is pending until it is confirmed or its
 * hold expires; a vendor's is confirmed. A repeated request with the customer's idempotency key returns
 * the first one's booking in its current status. Another request with the key is refused.
 */
function create(calendar: Calendar, operation: Create, id: number): CorrectAnswer {
  if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
  const named = calendar.slots.get(operation.slot.id);
  const provider = operation.provider ?? named?.provider;
  // Over HTTP provider and times identify a slot; the function takes its id.
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

  const { customerName, notes, createdBy, paymentIntentId = null } = operation;
  const { idempotencyKey = null, customer } = operation;
  const made = idempotencyKey === null ? undefined : madeWith(calendar, customer, idempotencyKey);
  if (made !== undefined) {
    const same =
      made.provider === provider &&
      made.requestedSlot === (slot ?? operation.slot).id &&
      made.requestedPayment === paymentIntentId &&
      made.customerName === customerName &&
      made.notes === notes &&
      made.createdBy === createdBy;
    if (!same) return answerRefused("IDEMPOTENCY_KEY_REUSED", calendar);
    return { code: "CREATED", body: bookingAnswer(calendar, made), after: calendar };
  }

  if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== provider) return answerRefused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return answerRefused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot)) return answerRefused("BOOKING_CONFLICT", calendar);

  const byVendor = operation.createdBy === "vendor";
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
    requestedPayment: idempotencyKey === null ? null : paymentIntentId,
    paymentIntentId,
  };
  return { ...answerChanged("CREATED", calendar, booking), status: 201, makes: "bookings" };
}

/**
 * Moves an active booking to another free, future slot of the same provider, and frees its old slot.
 * A move to its own slot succeeds and changes nothing.
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
 * Confirms a booking after its customer has paid. The gateway's status of the payment decides, not the
 * customer. A payment that is too late for its booking is refunded.
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

/** Records an event of the gateway, which may be repeated, late or out of order. */
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
 * The calendar after a payment. A captured payment confirms a pending booking. An expired booking wins
 * its slot back if that is still free. Any other captured payment is due for a refund. A payment that
 * was captured once never changes again by an event.
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

/** Makes the captured payment of a booking due for a refund. */
function withRefundDue(calendar: Calendar, id: number): Calendar {
  const kept = [...calendar.payments.values()].filter(
    ({ booking, status }) => booking === id && status === "captured",
  );
  return withPayments(
    calendar,
    ...kept.map((one): InitialPayment => ({ ...one, status: "refund_due" })),
  );
}

/** Refunds every payment that is due, once. */
function refund(calendar: Calendar, { by }: Refund): CorrectAnswer {
  const stranger = machinesOnly(by);
  if (stranger !== undefined) return answerRefused(stranger, calendar);
  const refunded = refundsDue(calendar).map(
    (payment): InitialPayment => ({ ...payment, status: "refunded" }),
  );
  return { code: "SETTLED", body: null, after: withPayments(calendar, ...refunded) };
}

function refundsDue({ payments }: Calendar): readonly InitialPayment[] {
  return [...payments.values()].filter(({ status }) => status === "refund_due");
}

/** The possible calendars after an interrupted refund run: any subset of the due payments is refunded. */
export function afterInterruptedRefund(calendar: Calendar): readonly Calendar[] {
  let after = [calendar];
  for (const payment of refundsDue(calendar)) {
    const refunded: InitialPayment = { ...payment, status: "refunded" };
    after = after.flatMap((it) => [it, withPayments(it, refunded)]);
  }
  return after.filter((it) => it !== calendar);
}
