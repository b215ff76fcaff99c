import type { IdFields, JsonObject, Response } from "../../harness/index.ts";
import type { BookingOperation } from "./operations.ts";

/** A operation named what its client never made, so that nothing was sent. */
export const NOTHING_TO_SEND = { booking: "NO_BOOKING", slot: "NO_SLOT" } as const;

const { booking: NO_BOOKING, slot: NO_SLOT } = NOTHING_TO_SEND;

/** What a foreign request is told. */
const STRANGERS = ["UNAUTHENTICATED", "FORBIDDEN"] as const;

/** Every code that the service may answer with. Any other is a violation of its contract. */
export const codes: { readonly [name in BookingOperation["name"]]: readonly string[] } = {
  create: [
    "CREATED",
    "BOOKING_CONFLICT",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    "IDEMPOTENCY_KEY_REUSED",
    ...STRANGERS,
    NO_SLOT,
  ],
  cancel: ["CANCELLED", "BOOKING_NOT_FOUND", "BOOKING_NOT_ACTIVE", ...STRANGERS, NO_BOOKING],
  confirm: [
    "CONFIRMED",
    "BOOKING_NOT_FOUND",
    "PAYMENT_REQUIRED",
    "PAYMENT_REFUNDED",
    ...STRANGERS,
    NO_BOOKING,
  ],
  webhook: ["RECORDED", "BOOKING_NOT_FOUND", ...STRANGERS, NO_BOOKING],
  refund: ["SETTLED", ...STRANGERS],
  reschedule: [
    "RESCHEDULED",
    "BOOKING_CONFLICT",
    "BOOKING_NOT_FOUND",
    "BOOKING_NOT_ACTIVE",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    ...STRANGERS,
    NO_BOOKING,
    NO_SLOT,
  ],
  expire: ["EXPIRED"],
  publish: ["PUBLISHED"],
  withdraw: ["WITHDRAWN", "SLOT_NOT_FOUND", "SLOT_HAS_BOOKING", NO_SLOT],
  list: ["SLOTS"],
  elapse: ["ELAPSED"],
};

/**
 * What of a booking and of a slot goes into a response: all that does not differ from run to run.
 * Left out are the times of writing and the end of a hold, which come from the clock, and names
 * and notes, which nothing depends on.
 */
const BOOKING_FIELDS = [
  "id",
  "slotId",
  "providerId",
  "status",
  "startAt",
  "endAt",
  "customerId",
  "idempotencyKey",
  "paymentIntentId",
  "createdBy",
] as const;
const SLOT_FIELDS = ["id", "providerId", "startAt", "endAt"] as const;

type Row = { readonly [column: string]: unknown };

export function bookingBody(row: unknown): JsonObject {
  return project(row, BOOKING_FIELDS);
}

export function slotBody(row: unknown): JsonObject {
  return project(row, SLOT_FIELDS);
}

/** Columns may be named in either of the ways of the database and of HTTP. */
function project(row: unknown, fields: readonly string[]): JsonObject {
  const given = (row ?? {}) as Row;
  return Object.fromEntries(
    fields.map((field) => [field, text(given[field] ?? given[snakeCase(field)])]),
  );
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Date ? value.toISOString() : String(value);
}

/** Nobody can tell what became of the operation. */
export const connectionLost: Response = { outcome: "info", code: "CONNECTION_LOST", body: null };

export function refused(code: string, status?: number): Response {
  return { outcome: "fail", code, ...(status !== undefined && { status }), body: null };
}

const BOOKING_IDS = { id: "booking", slotId: "slot", paymentIntentId: "payment" };
const SLOT_IDS = { id: "slot" };

/**
 * Where ids stand that the service generates, in states, operations, answers and tables. Those of
 * payments are made of the booking's.
 */
export const ids: IdFields = {
  booking: { id: "booking" },
  slot: SLOT_IDS,
  slots: SLOT_IDS,
  create: BOOKING_IDS,
  cancel: BOOKING_IDS,
  confirm: BOOKING_IDS,
  reschedule: BOOKING_IDS,
  publish: SLOT_IDS,
  withdraw: SLOT_IDS,
  list: SLOT_IDS,
  availability_slots: SLOT_IDS,
  bookings: {
    id: "booking",
    slot: "slot",
    slot_id: "slot",
    idempotency_slot_id: "slot",
    payment_intent_id: "payment",
  },
  payments: { intent: "payment", booking: "booking", booking_id: "booking" },
};
