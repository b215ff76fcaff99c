import type { Booking, BookingRequest } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";
import { BOOKING_COLUMNS, only } from "./booking-row.ts";
import type { Queryable } from "./cancel-by-hand.ts";

/*
 * A create by hand: look whether the slot is free, and insert.
 */

const CHECK = `
  select s.id, s.start_at <= now() as past,
         s.is_available and not exists (
           select from bookings b
            where b.provider_id = s.provider_id
              and b.status in ('pending', 'confirmed')
              and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(s.start_at, s.end_at, '[)')
         ) as free
    from availability_slots s
   where s.provider_id = $1 and s.start_at = $2 and s.end_at = $3`;

const INSERT = `
  insert into bookings (
    slot_id, provider_id, start_at, end_at, customer_id, customer_name, notes, payment_intent_id,
    created_by, status, hold_expires_at
  )
  values (
    $1, $2, $3, $4, $5, $6, $7, $8,
    $9::text, case $9::text when 'vendor' then 'confirmed' else 'pending' end,
    case $9::text when 'vendor' then null else now() + interval '15 minutes' end
  )
  returning ${BOOKING_COLUMNS}`;

interface Found {
  readonly id: string;
  readonly past: boolean;
  readonly free: boolean;
}

/** The id of the slot that a request names, if it is free now; refuses otherwise. */
export async function findFree(
  database: Queryable,
  { providerId, startAt, endAt }: BookingRequest,
): Promise<string> {
  const { rows } = await database.query<Found>(CHECK, [providerId, startAt, endAt]);
  const [slot] = rows;
  if (slot === undefined) throw new ServiceError("SLOT_NOT_FOUND", "Slot not found", "");
  if (slot.past) throw new ServiceError("SLOT_IN_PAST", "The slot has begun already", "");
  if (!slot.free) throw new ServiceError("BOOKING_CONFLICT", "Slot is not available", "");
  return slot.id;
}

/** Writes the booking of a request, without its idempotency key. */
export async function insertBooking(
  database: Queryable,
  slotId: string,
  request: BookingRequest,
): Promise<Booking> {
  const { rows } = await database.query<Booking>(INSERT, [
    slotId,
    request.providerId,
    request.startAt,
    request.endAt,
    request.customerId,
    request.customerName,
    request.notes,
    request.paymentIntentId,
    request.createdBy ?? "customer",
  ]);
  return only(rows);
}
