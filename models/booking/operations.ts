import fc, { type Arbitrary } from "fast-check";
import { call, http, type Json, type JsonObject, rowOf } from "../../harness/index.ts";
import {
  BOOKINGS,
  EXPIRY_TIME,
  FIRST_MADE,
  intentOf,
  SLOTS,
  senderOf,
  slotOf,
} from "./calendar.ts";
import { directly, elapse, withoutTimes } from "./service.ts";

/** A provider that there is not. */
const UNKNOWN_PROVIDER = 9;

/** Realistic texts: several scripts, quotes, emoji, backslashes and line breaks. */
const NAMES = ["Ada Lovelace", `Grace "Amazing" O'Hopper`, "山田 太郎", "Łucja Żółć"];
const NOTES = ["", "", `Don't forget: "the cake" 🎂`, "back\\slash;\n-- two lines"];

/** Mostly `usual`; in one of `n` cases one of the others. */
function mostly<T, U>(n: number, usual: T, ...others: readonly U[]): Arbitrary<T | U> {
  return fc.oneof(
    { weight: n - 1, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const slot = fc.integer({ min: 1, max: SLOTS.length });

/** One of the calendar's, the first one that the execution makes, or one that the same client made. */
const booking = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: BOOKINGS.length }) },
  { weight: 2, arbitrary: fc.constant(FIRST_MADE) },
  { weight: 1, arbitrary: rowOf("bookings.id") },
);

const claim = {
  slot,
  customer: fc.constantFrom("customer-1", "customer-2", "customer-3"),
  customerName: fc.constantFrom(...NAMES),
  notes: fc.constantFrom(...NOTES),
  createdBy: fc.constantFrom("customer", "customer", "customer", "vendor"),
  idempotencyKey: mostly(6, null, "key-1", "key-2"),
  paymentIntentId: mostly(4, null, "pi_7", "pi_8"),
  /** A provider other than the slot's, which must be refused. */
  provider: mostly(25, null, UNKNOWN_PROVIDER),
};

/** The owner of a booking, or an actor that may not have the right. */
const owner = mostly(
  12,
  "owner",
  "vendor:1",
  "vendor:1",
  "vendor:2",
  "customer:customer-2",
  "nobody",
);
const gateway = mostly(12, "system:gateway", "vendor:2", "customer:customer-2", "nobody");

const event = {
  booking,
  attempt: fc.constantFrom(1, 1, 1, 2),
  captured: fc.constantFrom(true, true, true, false),
};

/** The operations of the service: those of the HTTP API, and the same by a call of the database function. */
export const operations = {
  create: http.post("/api/bookings/create", claim, {
    as: mostly(25, "creator", "customer:customer-4", "nobody"),
    body: createBody,
    answer: withoutTimes,
  }),
  createDirectly: call(claim, ({ slot, provider, ...it }, { query }) =>
    directly(
      query,
      "booking",
      "select * from claim_slot_and_create_booking($1, $2, $3, $4, $5, $6, $7, $8)",
      [
        slot,
        provider ?? slotOf(slot).provider,
        it.customer,
        it.customerName,
        it.notes,
        it.idempotencyKey,
        it.paymentIntentId,
        it.createdBy,
      ],
    ),
  ),

  cancel: http.post(
    "/api/bookings/:booking/cancel",
    { booking },
    { as: owner, answer: withoutTimes },
  ),
  cancelDirectly: call({ booking, by: owner }, ({ booking, by }, { query }) =>
    directly(query, "booking", "select * from cancel_booking($1, $2)", [
      booking,
      senderOf(by, { booking }),
    ]),
  ),

  /** The customer returns from an attempt to pay, and the service asks the gateway. */
  confirm: http.post(
    "/api/bookings/:booking/confirm",
    { booking, attempt: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 3) },
    {
      as: owner,
      answer: withoutTimes,
      body: ({ booking, attempt }) => ({
        paymentIntentId: intentOf(Number(booking), Number(attempt)),
      }),
    },
  ),

  /** An event of the gateway about a captured payment or a declined card. */
  webhook: http.post("/api/payments/webhook", event, {
    as: gateway,
    body: ({ booking, attempt, captured }) => ({
      type: captured ? "payment.captured" : "payment.declined",
      intent: intentOf(Number(booking), Number(attempt)),
      bookingId: booking ?? null,
    }),
  }),
  webhookDirectly: call(event, ({ booking, attempt, captured }, { query }) =>
    directly(query, "recorded", "select from record_payment($1, $2, $3)", [
      booking,
      intentOf(Number(booking), attempt),
      captured,
    ]),
  ),

  /** Refunds every payment that is due. Which of two concurrent runs refunded a payment is not specified. */
  refund: http.post("/api/payments/refunds", {}, { as: gateway, answer: () => null }),

  reschedule: http.post(
    "/api/bookings/:booking/reschedule",
    { booking, slot },
    { as: owner, answer: withoutTimes, body: ({ slot }) => ({ slotId: String(slot) }) },
  ),
  rescheduleDirectly: call({ booking, slot, by: owner }, ({ booking, slot, by }, { query }) =>
    directly(query, "booking", "select * from reschedule_booking($1, $2, $3)", [
      booking,
      slot,
      senderOf(by, { booking }),
    ]),
  ),

  /** Expires the pending bookings whose hold is over. */
  expire: call({}, (_, { query }) =>
    directly(query, "holds", "select expire_holds($1) as expired", [EXPIRY_TIME]),
  ),

  publish: call({ slot }, ({ slot }, { query }) => {
    const { provider, startAt, endAt } = slotOf(slot);
    return directly(query, "slot", "select * from publish_slot($1, $2, $3)", [
      provider,
      startAt,
      endAt,
    ]);
  }),
  withdraw: call({ slot }, ({ slot }, { query }) =>
    directly(query, "slot", "select * from withdraw_slot($1)", [slot]),
  ),

  /** The free future slots of a provider. */
  list: http.get("/api/vendors/:provider/slots", { provider: fc.constantFrom(1, 1, 2) }),

  /** Moves the database's clock past `SOON_DAY`, whose slots have begun then. */
  elapse: call({}, (_, { query }) => elapse(query)),
};

/** Provider and times identify a slot over HTTP. */
function createBody({ slot, customer, provider, ...others }: JsonObject): Json {
  const { startAt, endAt, provider: own } = slotOf(slot);
  const given = Object.entries(others).filter(([, value]) => value !== null);
  const asked = {
    providerId: String(provider ?? own),
    startAt,
    endAt,
    customerId: customer ?? null,
  };
  return { ...asked, ...Object.fromEntries(given) };
}

const BOOKING_IDS = { id: "booking", slotId: "slot", paymentIntentId: "payment" };

/** The fields with generated ids in answers and tables. Payment ids are derived from booking ids. */
export const ids = {
  booking: BOOKING_IDS,
  slot: { id: "slot" },
  slots: { id: "slot" },
  "public.availability_slots": { id: "slot" },
  "public.bookings": {
    id: "booking",
    slot_id: "slot",
    idempotency_slot_id: "slot",
    idempotency_payment_intent_id: "payment",
    payment_intent_id: "payment",
  },
  "public.payments": { intent: "payment", booking_id: "booking" },
};
