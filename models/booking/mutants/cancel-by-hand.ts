import type { PoolClient } from "pg";
import type { Booking, Id } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";
import { BOOKING_COLUMNS, only } from "./booking-row.ts";

/*
 * Statements of applications that do by hand what the schema's functions do.
 */

/** A pool, where each statement is a transaction of its own, or a session. */
export type Queryable = Pick<PoolClient, "query">;

const ACTIVE = ["pending", "confirmed"];

function notActive(status: string): ServiceError {
  return new ServiceError("BOOKING_NOT_ACTIVE", `The booking is ${status}`, "");
}

/** The booking as it is, if it is active and its actor's; refuses otherwise. */
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

/** Part of a statement that cancels the booking $1: what was paid for it has to be given back. */
export const OWED = `
  owed as (
    update payments set status = 'refund_due', updated_at = now()
     where booking_id = $1 and status = 'captured'
  )`;

const CANCEL = `
  with ${OWED}
  update bookings set status = 'cancelled', updated_at = now() where id = $1
  returning ${BOOKING_COLUMNS}`;

export async function markCancelled(database: Queryable, bookingId: Id): Promise<Booking> {
  return only((await database.query<Booking>(CANCEL, [bookingId])).rows);
}
