import { mayChange, NOBODY, machinesOnly } from "./model-access.ts";
import { type CorrectAnswer, bookingAnswer, answerRefused } from "./model-answer.ts";
import {
  type CalendarBooking,
  type Calendar,
  isFree,
  isPast,
  withBookings,
  withPayments,
} from "./model-calendar.ts";
import type { Confirm, Refund, Webhook } from "./operations.ts";
import { DECLINED_ATTEMPT, intentOf, type InitialPayment } from "./state.ts";

/**
 * The customer comes back from the gateway. What counts is what the gateway says of the payment, not
 * what the customer says. Money that came too late for its booking is given back.
 */
export function confirm(calendar: Calendar, id: number, { attempt, by }: Confirm): CorrectAnswer {
  if (by === NOBODY) return answerRefused("UNAUTHENTICATED", calendar);
  const booking = calendar.bookings.get(id);
  if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
  if (!mayChange(booking, by)) return answerRefused("FORBIDDEN", calendar);
  if (attempt === DECLINED_ATTEMPT) return answerRefused("PAYMENT_REQUIRED", calendar);
  const intent = intentOf(id, attempt);
  const after = withPayment(calendar, booking, intent, true);
  if (after.payments.get(intent)?.status !== "captured") return answerRefused("PAYMENT_REFUNDED", after);
  const confirmed = after.bookings.get(id) ?? booking;
  return { code: "CONFIRMED", body: bookingAnswer(after, confirmed), after };
}

/** The gateway tells of a payment: perhaps again, perhaps late, perhaps in the wrong order. */
export function webhook(calendar: Calendar, id: number, operation: Webhook): CorrectAnswer {
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
function withPayment(calendar: Calendar, booking: CalendarBooking, intent: string, captured: boolean): Calendar {
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
export function withRefundDue(calendar: Calendar, id: number): Calendar {
  const kept = [...calendar.payments.values()].filter(
    ({ booking, status }) => booking === id && status === "captured",
  );
  return withPayments(calendar, ...kept.map((one): InitialPayment => ({ ...one, status: "refund_due" })));
}

/** All that has to be given back, is: each payment once. */
export function refund(calendar: Calendar, { by }: Refund): CorrectAnswer {
  const stranger = machinesOnly(by);
  if (stranger !== undefined) return answerRefused(stranger, calendar);
  const given = refundsDue(calendar).map((payment): InitialPayment => ({ ...payment, status: "refunded" }));
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
