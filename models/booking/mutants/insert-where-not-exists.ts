import type { Booking } from "../../../src/booking.ts";
import { BOOKING_COLUMNS } from "./by-hand.ts";
import { type BookingMutant, DROP_EXCLUSION, DROP_UNIQUE_INDEX } from "./mutant.ts";

const INSERT = `
  with booked as (
    insert into bookings (
      slot_id, provider_id, start_at, end_at, customer_id, customer_name, notes,
      payment_intent_id, created_by, status, hold_expires_at
    )
    select s.id, s.provider_id, s.start_at, s.end_at, $4, $5, $6, $7,
           $8::text, case $8::text when 'vendor' then 'confirmed' else 'pending' end,
           case $8::text when 'vendor' then null else now() + interval '15 minutes' end
      from availability_slots s
     where s.provider_id = $1 and s.start_at = $2 and s.end_at = $3
       and s.start_at > now()
       and s.is_available
       and not exists (
         select from bookings b
          where b.provider_id = s.provider_id
            and b.status in ('pending', 'confirmed')
            and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(s.start_at, s.end_at, '[)')
       )
    returning *
  ), taken as (
    update availability_slots set is_available = false, updated_at = now()
     where id in (select slot_id from booked)
  )
  select ${BOOKING_COLUMNS} from booked`;

/** One statement checks for a booking and inserts one, without a constraint. */
export const insertWhereNotExists: BookingMutant = {
  name: "insert-where-not-exists",
  origin:
    "The constraints blocked an import, and a single statement seemed atomic. Its snapshot is " +
    "older than its insert, so that two concurrent statements do not see each other's " +
    "booking.",
  checker: "invariant",
  depth: "row",
  smallest: { operations: 2, preemptions: 1 },
  sql: DROP_EXCLUSION + DROP_UNIQUE_INDEX,
  store: (store, pool) => ({
    ...store,
    async createBooking(request) {
      if (request.idempotencyKey !== undefined) return store.createBooking(request);
      const { providerId, startAt, endAt } = request;
      const { rows } = await pool.query<Booking>(INSERT, [
        providerId,
        startAt,
        endAt,
        request.customerId,
        request.customerName,
        request.notes,
        request.paymentIntentId,
        request.createdBy ?? "customer",
      ]);
      // The function finds the reason for the refusal.
      const [booking] = rows;
      return booking === undefined ? store.createBooking(request) : { booking, created: true };
    },
  }),
};
