import type { JsonObject, Response } from "../../harness/index.ts";

/**
 * What of a booking and of a slot goes into a response: all that does not differ from run to run.
 * Left out are the times of writing and the end of a hold, which come from the clock, and names
 * and notes, which nothing depends on.
 */
const BOOKING = [
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
const SLOT = ["id", "providerId", "startAt", "endAt"] as const;

type Row = { readonly [column: string]: unknown };

export function bookingBody(row: unknown): JsonObject {
  return project(row, BOOKING);
}

export function slotBody(row: unknown): JsonObject {
  return project(row, SLOT);
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
