import type { IdFields, JsonObject, Response } from "../../harness/index.ts";
import type { BookingOperation } from "./operations.ts";

/** Codes for operations that were not sent, since they refer to something that the client never made. */
export const NOTHING_TO_SEND = { booking: "NO_BOOKING", slot: "NO_SLOT" } as const;

const { booking: NO_BOOKING, slot: NO_SLOT } = NOTHING_TO_SEND;

/** Codes for requests without a token, and for those of an actor without the right. */
const ACCESS_DENIED = ["UNAUTHENTICATED", "FORBIDDEN"] as const;

/** The codes that the service may answer with, by operation. Any other code violates the contract. */
export const codes: { readonly [name in BookingOperation["name"]]: readonly string[] } = {
  create: [
    "CREATED",
    "BOOKING_CONFLICT",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    "IDEMPOTENCY_KEY_REUSED",
    ...ACCESS_DENIED,
    NO_SLOT,
  ],
  cancel: ["CANCELLED", "BOOKING_NOT_FOUND", "BOOKING_NOT_ACTIVE", ...ACCESS_DENIED, NO_BOOKING],
  confirm: [
    "CONFIRMED",
    "BOOKING_NOT_FOUND",
    "PAYMENT_REQUIRED",
    "PAYMENT_REFUNDED",
    ...ACCESS_DENIED,
    NO_BOOKING,
  ],
  webhook: ["RECORDED", "BOOKING_NOT_FOUND", ...ACCESS_DENIED, NO_BOOKING],
  refund: ["SETTLED", ...ACCESS_DENIED],
  reschedule: [
    "RESCHEDULED",
    "BOOKING_CONFLICT",
    "BOOKING_NOT_FOUND",
    "BOOKING_NOT_ACTIVE",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    ...ACCESS_DENIED,
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
 * The fields of bookings and slots that go into a response. Fields that come from the clock differ from
 * run to run, and are left out; so are names and notes, on which nothing depends.
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

/** Accepts field names in camel case (HTTP) and in snake case (the database). */
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

/** The outcome of the operation is unknown. */
export const connectionLost: Response = { outcome: "info", code: "CONNECTION_LOST", body: null };

export function refused(code: string, status?: number): Response {
  return { outcome: "fail", code, ...(status !== undefined && { status }), body: null };
}

const BOOKING_IDS = { id: "booking", slotId: "slot", paymentIntentId: "payment" };
const SLOT_IDS = { id: "slot" };

/**
 * The fields with generated ids in states, operations, answers and tables. Payment ids are derived from
 * booking ids.
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
    idempotency_payment_intent_id: "payment",
    payment_intent_id: "payment",
  },
  payments: { intent: "payment", booking: "booking", booking_id: "booking" },
};
