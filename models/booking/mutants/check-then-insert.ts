import type { Booking } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";
import { BOOKING_COLUMNS, only } from "./booking-row.ts";
import type { BookingMutant } from "./mutant.ts";
import { transaction } from "./transaction.ts";

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

const TAKE = "update availability_slots set is_available = false, updated_at = now() where id = $1";

interface Found {
  readonly id: string;
  readonly past: boolean;
  readonly free: boolean;
}

/** The route checks the slot, then inserts: with no lock, and no constraint behind it. */
export const checkThenInsert: BookingMutant = {
  name: "check-then-insert",
  story:
    "Creates without an idempotency key got a fast path in the application: look whether the slot " +
    "is free, then insert the booking and mark the slot. The constraints went when they were in " +
    "the way of an import. Two customers who look at the same time both find the slot free.",
  sql: `
    alter table bookings drop constraint bookings_no_overlap_provider_time;
    drop index idx_bookings_provider_time_unique`,
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      if (request.idempotencyKey !== undefined) return store.createBooking(request);

      const { providerId, startAt, endAt } = request;
      const { rows } = await pool.query<Found>(CHECK, [providerId, startAt, endAt]);
      const [slot] = rows;
      if (slot === undefined) throw new ServiceError("SLOT_NOT_FOUND", "Slot not found", "");
      if (slot.past) throw new ServiceError("SLOT_IN_PAST", "The slot has begun already", "");
      if (!slot.free) throw new ServiceError("BOOKING_CONFLICT", "Slot is not available", "");

      const booking = await transaction(pool, async (client) => {
        const inserted = await client.query<Booking>(INSERT, [
          slot.id,
          providerId,
          startAt,
          endAt,
          request.customerId,
          request.customerName,
          request.notes,
          request.paymentIntentId,
          request.createdBy ?? "customer",
        ]);
        await client.query(TAKE, [slot.id]);
        return only(inserted.rows);
      });
      return { booking, created: true };
    },
  }),
};
