import type { Booking } from "../../../src/booking.ts";

/** A booking's columns, under the names by which the service knows them. */
export const BOOKING_COLUMNS = `
  id, slot_id as "slotId", provider_id as "providerId", customer_id as "customerId",
  customer_name as "customerName", notes, start_at as "startAt", end_at as "endAt", status,
  idempotency_key as "idempotencyKey", payment_intent_id as "paymentIntentId",
  created_by as "createdBy", hold_expires_at as "holdExpiresAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** The one row that a statement with `returning` must have given. */
export function only([booking]: readonly Booking[]): Booking {
  if (booking === undefined) throw new Error("The statement returned no booking.");
  return booking;
}
