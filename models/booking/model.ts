import type {
  Json,
  JsonObject,
  RightAnswer,
  SentOperation,
  ServiceModel,
} from "../../harness/index.ts";
import {
  DECLINED_ATTEMPT,
  EXPIRY_TIME,
  intentOf,
  RUNNING_HOLD,
  senderOf,
  slotOf,
} from "./calendar.ts";
import {
  type Calendar,
  calendarOf,
  concerns,
  isActive,
  isFree,
  isPast,
  isTaken,
  keyOf,
  type ModelBooking,
  type ModelPayment,
  type ModelSlot,
  rowsOf,
  timesOf,
  withBookings,
  withPayments,
  withSlot,
} from "./model-state.ts";

/*
 * The sequential specification: for each operation the correct answer and the calendar after it. A
 * concurrent history is correct if some sequential order of its operations gives the same answers.
 */

export const model: ServiceModel<Calendar> = {
  init: calendarOf,
  rows: rowsOf,
  key: keyOf,
  makes: {
    create: "bookings.id",
    createDirectly: "bookings.id",
    publish: "availability_slots.id",
  },

  answer(calendar, operation, id) {
    const request = requestOf(operation);
    const { code, ...right } = rules[request.rule](calendar, request, Number(id ?? 0));
    if (request.http) return { code, status: STATUS[code] ?? 200, ...right };
    // Only an operation that takes effect has a body.
    return { ...right, code: right.body === undefined ? code : "OK" };
  },

  concerns,
  interrupted: (calendar, { name }) =>
    name === "refund" ? afterInterruptedRefund(calendar) : undefined,
};

/** The HTTP status of each answer that is not 200. */
const STATUS: { readonly [code: string]: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SLOT_NOT_FOUND: 404,
  BOOKING_NOT_FOUND: 404,
  BOOKING_CONFLICT: 409,
  BOOKING_NOT_ACTIVE: 409,
  SLOT_HAS_BOOKING: 409,
  SLOT_PROVIDER_MISMATCH: 422,
  SLOT_IN_PAST: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  PAYMENT_REQUIRED: 402,
  PAYMENT_REFUNDED: 409,
};

/** An operation as its rule needs it. */
interface Request {
  readonly rule: keyof typeof rules;
  readonly http: boolean;
  readonly by: string;
  readonly values: SentOperation["values"];
  /** The ids of the booking and the slot that it names; NaN if it names none. */
  readonly booking: number;
  readonly slot: number;
}

const DIRECTLY = /Directly$/;

/** Of the same rule, one operation is sent over HTTP, and one calls the function. */
function requestOf({ name, values, as }: SentOperation): Request {
  return {
    rule: name.replace(DIRECTLY, "") as Request["rule"],
    http: !DIRECTLY.test(name),
    by: senderOf(as ?? values["by"], values),
    values,
    booking: Number(values["booking"]),
    slot: Number(values["slot"]),
  };
}

type Answer = RightAnswer<Calendar>;
type Rule = (calendar: Calendar, request: Request, id: number) => Answer;

function refused(code: string, after: Calendar): Answer {
  return { code, after };
}

/** The answer of an operation that makes or changes a booking. */
function changed(code: string, calendar: Calendar, booking: ModelBooking): Answer {
  return { code, body: bookingAnswer(calendar, booking), after: withBookings(calendar, booking) };
}

/** A booking in an answer. */
function bookingAnswer({ slots }: Calendar, booking: ModelBooking): Json {
  const { id, slot, provider, customer, ...others } = booking;
  const { status, createdBy, customerName, notes, idempotencyKey, paymentIntentId } = others;
  const { startAt = null, endAt = null } = slots.get(slot) ?? {};
  return {
    booking: {
      ...{ id, slotId: slot, providerId: provider, customerId: customer, startAt, endAt },
      ...{ status, createdBy, customerName, notes, idempotencyKey, paymentIntentId },
    },
  };
}

function slotAnswer({ id, provider, startAt, endAt }: ModelSlot): JsonObject {
  return { id, providerId: provider, startAt, endAt };
}

/** A slot in the answer of the functions that publish and withdraw it. */
function changedSlot(calendar: Calendar, slot: ModelSlot): JsonObject {
  return { ...slotAnswer(slot), isAvailable: !slot.withdrawn && !isTaken(calendar, slot) };
}

/** The sender of a request without a token. */
const NOBODY = "nobody";

/** The refusal for a sender that is no system, such as the gateway; undefined if it is one. */
function machinesOnly({ http, by }: Request): string | undefined {
  if (!http || by.startsWith("system:")) return undefined;
  return by === NOBODY ? "UNAUTHENTICATED" : "FORBIDDEN";
}

/** The booking that an operation names; the refusal if only its customer and its vendor may name it. */
function ownBooking(calendar: Calendar, { http, by, booking: id }: Request): ModelBooking | string {
  if (http && by === NOBODY) return "UNAUTHENTICATED";
  const booking = calendar.bookings.get(id);
  if (booking === undefined) return "BOOKING_NOT_FOUND";
  const owners = [`customer:${booking.customer}`, `vendor:${booking.provider}`];
  return owners.includes(by) ? booking : "FORBIDDEN";
}

/** The slot of a provider with these times. There is at most one. */
function slotAt({ slots }: Calendar, time: Omit<ModelSlot, "id" | "withdrawn">) {
  return [...slots.values()].find(
    ({ provider, startAt, endAt }) =>
      provider === time.provider && startAt === time.startAt && endAt === time.endAt,
  );
}

const rules = {
  create,
  reschedule,

  // Ends an active booking, frees its slot, and makes its payment due for a refund. A second cancel is
  // refused.
  cancel(calendar, request) {
    const booking = ownBooking(calendar, request);
    if (typeof booking === "string") return refused(booking, calendar);
    if (!isActive(booking)) return refused("BOOKING_NOT_ACTIVE", calendar);
    const cancelled = { ...booking, status: "cancelled" } as const;
    return changed("CANCELLED", withRefundDue(calendar, booking.id), cancelled);
  },

  // Confirms a booking after its customer has paid. The gateway's status of the payment decides, not the
  // customer. A payment that is too late for its booking is refunded.
  confirm(calendar, request) {
    const booking = ownBooking(calendar, request);
    if (typeof booking === "string") return refused(booking, calendar);
    const attempt = Number(request.values["attempt"]);
    if (attempt === DECLINED_ATTEMPT) return refused("PAYMENT_REQUIRED", calendar);
    const intent = intentOf(booking.id, attempt);
    const after = withPayment(calendar, booking, intent, true);
    if (after.payments.get(intent)?.status !== "captured")
      return refused("PAYMENT_REFUNDED", after);
    const confirmed = after.bookings.get(booking.id) ?? booking;
    return { code: "CONFIRMED", body: bookingAnswer(after, confirmed), after };
  },

  // Records an event of the gateway, which may be repeated, late or out of order.
  webhook(calendar, request) {
    const stranger = machinesOnly(request);
    if (stranger !== undefined) return refused(stranger, calendar);
    const booking = calendar.bookings.get(request.booking);
    if (booking === undefined) return refused("BOOKING_NOT_FOUND", calendar);
    const intent = intentOf(booking.id, Number(request.values["attempt"]));
    const after = withPayment(calendar, booking, intent, request.values["captured"] === true);
    return { code: "RECORDED", body: {}, after };
  },

  // Refunds every payment that is due, once.
  refund(calendar, request) {
    const stranger = machinesOnly(request);
    if (stranger !== undefined) return refused(stranger, calendar);
    const refunded = refundsDue(calendar).map(
      (one): ModelPayment => ({ ...one, status: "refunded" }),
    );
    return { code: "SETTLED", after: withPayments(calendar, ...refunded) };
  },

  // Ends every pending booking whose hold is over, and frees its slot. Answers their number.
  expire(calendar) {
    const over = [...calendar.bookings.values()].filter(
      ({ status, holdExpiresAt }) =>
        status === "pending" && holdExpiresAt !== null && holdExpiresAt <= EXPIRY_TIME,
    );
    const expired = over.map((booking): ModelBooking => ({ ...booking, status: "expired" }));
    const body = { holds: { expired: over.length } };
    return { code: "OK", body, after: withBookings(calendar, ...expired) };
  },

  // Publishes a slot. A published one stays as it is, booked or not; a withdrawn one is published again.
  publish(calendar, { slot }, id) {
    const time = slotOf(slot);
    const before = slotAt(calendar, time);
    if (before !== undefined && !before.withdrawn) {
      return { code: "OK", body: { slot: changedSlot(calendar, before) }, after: calendar };
    }
    const published = { ...time, id: before?.id ?? id, withdrawn: false };
    const isNew = before !== undefined || !calendar.slots.has(id);
    const answer = { ...changedSlot(calendar, published), ...(!isNew && { id: "a new id" }) };
    return { code: "OK", body: { slot: answer }, after: withSlot(calendar, published) };
  },

  // Withdraws a slot that is not booked. A repeat changes nothing.
  withdraw(calendar, { slot: id }) {
    const slot = calendar.slots.get(id);
    if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
    if (isTaken(calendar, slot)) return refused("SLOT_HAS_BOOKING", calendar);
    const withdrawn = { ...slot, withdrawn: true };
    const after = slot.withdrawn ? calendar : withSlot(calendar, withdrawn);
    return { code: "OK", body: { slot: changedSlot(calendar, withdrawn) }, after };
  },

  // Lists the slots of a provider that a create can book, in order of time.
  list(calendar, { values }) {
    const free = [...calendar.slots.values()]
      .filter((slot) => slot.provider === values["provider"] && !isPast(calendar, slot))
      .filter((slot) => isFree(calendar, slot))
      .sort((a, b) => inOrder(a.startAt, b.startAt) || inOrder(a.endAt, b.endAt));
    return { code: "SLOTS", body: { slots: free.map(slotAnswer) }, after: calendar };
  },

  // The slots of `SOON_DAY` begin.
  elapse: (calendar) => ({ code: "OK", body: null, after: { ...calendar, late: true } }),
} satisfies { readonly [rule: string]: Rule };

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Makes a booking, which takes its slot. A customer's booking is pending until it is confirmed or its
 * hold expires; a vendor's is confirmed. A repeated request with the customer's idempotency key returns
 * the first one's booking in its current status. Another request with the key is refused.
 */
function create(
  calendar: Calendar,
  { http, by, values, slot: named }: Request,
  id: number,
): Answer {
  const { customer, customerName, notes, createdBy, paymentIntentId, idempotencyKey } =
    values as unknown as ModelBooking;
  const asked = timesOf(values);
  const provider = Number(values["provider"] ?? asked.provider);
  // Over HTTP provider and times identify a slot; the function takes its id.
  const slot = http ? slotAt(calendar, { ...asked, provider }) : calendar.slots.get(named);
  const byVendor = createdBy === "vendor";
  if (http) {
    // Customers create bookings for themselves, vendors in their own calendar.
    if (by === NOBODY) return refused("UNAUTHENTICATED", calendar);
    if (by !== (byVendor ? `vendor:${provider}` : `customer:${customer}`)) {
      return refused("FORBIDDEN", calendar);
    }
    if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
  }

  const made = [...calendar.bookings.values()].find(
    (one) =>
      idempotencyKey !== null && one.customer === customer && one.idempotencyKey === idempotencyKey,
  );
  if (made !== undefined) {
    const same =
      made.provider === provider &&
      made.requestedSlot === (slot?.id ?? named) &&
      made.requestedPayment === paymentIntentId &&
      made.customerName === customerName &&
      made.notes === notes &&
      made.createdBy === createdBy;
    if (!same) return refused("IDEMPOTENCY_KEY_REUSED", calendar);
    return { code: "CREATED", body: bookingAnswer(calendar, made), after: calendar };
  }

  if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== provider) return refused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return refused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot)) return refused("BOOKING_CONFLICT", calendar);
  if (calendar.bookings.has(id)) {
    return { code: "CREATED", body: { booking: { id: "a new id" } }, after: calendar };
  }
  const booking: ModelBooking = {
    ...{ id, slot: slot.id, provider, customer, customerName, notes, createdBy },
    status: byVendor ? "confirmed" : "pending",
    holdExpiresAt: byVendor ? null : RUNNING_HOLD,
    idempotencyKey,
    requestedSlot: idempotencyKey === null ? null : slot.id,
    requestedPayment: idempotencyKey === null ? null : paymentIntentId,
    paymentIntentId,
  };
  const answer = changed("CREATED", calendar, booking);
  return http ? { ...answer, status: 201 } : answer;
}

/**
 * Moves an active booking to another free, future slot of the same provider, and frees its old slot.
 * A move to its own slot succeeds and changes nothing.
 */
function reschedule(calendar: Calendar, request: Request): Answer {
  const booking = ownBooking(calendar, request);
  if (typeof booking === "string") return refused(booking, calendar);
  if (!isActive(booking)) return refused("BOOKING_NOT_ACTIVE", calendar);
  if (booking.slot === request.slot) return changed("RESCHEDULED", calendar, booking);
  const slot = calendar.slots.get(request.slot);
  if (slot === undefined) return refused("SLOT_NOT_FOUND", calendar);
  if (slot.provider !== booking.provider) return refused("SLOT_PROVIDER_MISMATCH", calendar);
  if (isPast(calendar, slot)) return refused("SLOT_IN_PAST", calendar);
  if (!isFree(calendar, slot, booking)) return refused("BOOKING_CONFLICT", calendar);
  return changed("RESCHEDULED", calendar, { ...booking, slot: slot.id });
}

/**
 * The calendar after a payment. A captured payment confirms a pending booking. An expired booking wins
 * its slot back if that is still free. Any other captured payment is due for a refund. A payment that
 * was captured once never changes again by an event.
 */
function withPayment(
  calendar: Calendar,
  booking: ModelBooking,
  intent: string,
  captured: boolean,
): Calendar {
  const before = calendar.payments.get(intent);
  if (before !== undefined && (before.status !== "declined" || !captured)) return calendar;
  const kept = captured && (booking.status === "pending" || winsBack(calendar, booking));
  const status = kept ? "captured" : captured ? "refund_due" : "declined";
  const after = withPayments(calendar, { intent, booking: booking.id, status });
  if (!kept) return after;
  const paid = { status: "confirmed", paymentIntentId: intent, holdExpiresAt: null } as const;
  return withBookings(after, { ...booking, ...paid });
}

function winsBack(calendar: Calendar, booking: ModelBooking): boolean {
  const slot = calendar.slots.get(booking.slot);
  const can = slot !== undefined && isFree(calendar, slot) && !isPast(calendar, slot);
  return booking.status === "expired" && can;
}

/** Makes the captured payment of a booking due for a refund. */
function withRefundDue(calendar: Calendar, id: number): Calendar {
  const kept = [...calendar.payments.values()].filter(
    ({ booking, status }) => booking === id && status === "captured",
  );
  return withPayments(calendar, ...kept.map((one) => ({ ...one, status: "refund_due" }) as const));
}

function refundsDue({ payments }: Calendar): readonly ModelPayment[] {
  return [...payments.values()].filter(({ status }) => status === "refund_due");
}

/** The possible calendars after an interrupted refund run: any subset of the due payments is refunded. */
function afterInterruptedRefund(calendar: Calendar): readonly Calendar[] {
  let after = [calendar];
  for (const payment of refundsDue(calendar)) {
    const refunded: ModelPayment = { ...payment, status: "refunded" };
    after = after.flatMap((it) => [it, withPayments(it, refunded)]);
  }
  return after.filter((it) => it !== calendar);
}
