import type { Pool, PoolClient } from "pg";
import type { Booking, BookingRequest, Id } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";

/*
 * What applications write by hand instead of calling the schema's functions; shared by seeded bugs.
 */

/** A booking's columns, with the names of the service's fields. */
export const BOOKING_COLUMNS = `
  id, slot_id as "slotId", provider_id as "providerId", customer_id as "customerId",
  customer_name as "customerName", notes, start_at as "startAt", end_at as "endAt", status,
  idempotency_key as "idempotencyKey", payment_intent_id as "paymentIntentId",
  created_by as "createdBy", hold_expires_at as "holdExpiresAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** The only row of a statement with `returning`. Throws if there is none. */
export function only([booking]: readonly Booking[]): Booking {
  if (booking === undefined) throw new Error("The statement returned no booking.");
  return booking;
}

/** Runs `work` in a transaction of its own. */
export async function transaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

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

interface SlotCheck {
  readonly id: string;
  readonly past: boolean;
  readonly free: boolean;
}

/** The id of the requested slot. Throws a ServiceError unless it is free. */
export async function findFree(
  database: Queryable,
  { providerId, startAt, endAt }: BookingRequest,
): Promise<string> {
  const { rows } = await database.query<SlotCheck>(CHECK, [providerId, startAt, endAt]);
  const [slot] = rows;
  if (slot === undefined) throw new ServiceError("SLOT_NOT_FOUND", "Slot not found", "");
  if (slot.past) throw new ServiceError("SLOT_IN_PAST", "The slot has begun already", "");
  if (!slot.free) throw new ServiceError("BOOKING_CONFLICT", "Slot is not available", "");
  return slot.id;
}

/** Inserts the booking of a request, without its idempotency key. */
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

/** A session, or a pool, on which each statement is its own transaction. */
export type Queryable = Pick<PoolClient, "query">;

const ACTIVE = ["pending", "confirmed"];

function notActive(status: string): ServiceError {
  return new ServiceError("BOOKING_NOT_ACTIVE", `The booking is ${status}`, "");
}

/** Reads a booking. Throws a ServiceError unless it is active and the actor's. */
export async function findActive(
  database: Queryable,
  bookingId: Id,
  actor: string,
  lock: "" | "for update" = "",
): Promise<Booking> {
  const sql = `select ${BOOKING_COLUMNS} from bookings where id = $1 ${lock}`;
  const [booking] = (await database.query<Booking>(sql, [bookingId])).rows;
  if (booking === undefined) throw new ServiceError("BOOKING_NOT_FOUND", "Booking not found", "");
  const owners = [`customer:${booking.customerId}`, `vendor:${booking.providerId}`];
  if (!owners.includes(actor)) throw new ServiceError("FORBIDDEN", "Not yours", "");
  if (!ACTIVE.includes(booking.status)) throw notActive(booking.status);
  return booking;
}

const FREE = `
  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = $1`;

export async function freeSlot(database: Queryable, slotId: Id): Promise<void> {
  await database.query(FREE, [slotId]);
}

const TAKE = "update availability_slots set is_available = false, updated_at = now() where id = $1";

export async function takeSlot(database: Queryable, slotId: Id): Promise<void> {
  await database.query(TAKE, [slotId]);
}

/** A common table expression that makes the payment of the booking $1 due for a refund. */
export const REFUND_DUE = `
  refund_due as (
    update payments set status = 'refund_due', updated_at = now()
     where booking_id = $1 and status = 'captured'
  )`;

const CANCEL = `
  with ${REFUND_DUE}
  update bookings set status = 'cancelled', updated_at = now() where id = $1
  returning ${BOOKING_COLUMNS}`;

export async function markCancelled(database: Queryable, bookingId: Id): Promise<Booking> {
  return only((await database.query<Booking>(CANCEL, [bookingId])).rows);
}
