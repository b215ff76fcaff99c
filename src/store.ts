import type { Pool } from "pg";
import type { Booking, BookingRequest, FoundBooking, Id, Provider, Slot } from "./booking.ts";
import { ServiceError } from "./errors.ts";
import type { RecordedPayment } from "./gateway.ts";
import { retryTransient, runStatement } from "./statement.ts";

/** The service's operations on its database. */
export interface BookingStore {
  /** `created` is false if an earlier request with this idempotency key made the booking. */
  createBooking(request: BookingRequest): Promise<{ booking: Booking; created: boolean }>;
  findProvider(providerId: Id): Promise<Provider>;
  findBooking(bookingId: Id): Promise<FoundBooking>;
  /** `actor` (see `actorText`) has to be the booking's customer or vendor; below too. */
  cancelBooking(bookingId: Id, actor: string): Promise<Booking>;
  rescheduleBooking(bookingId: Id, slotId: Id, actor: string): Promise<Booking>;
  /** The provider's future slots that a create can book, in order of time. */
  freeSlots(providerId: Id): Promise<Slot[]>;
  /** Records the gateway's status of a payment. Repeated and late reports are safe. */
  recordPayment(bookingId: Id, intent: string, captured: boolean): Promise<RecordedPayment>;
  /** The intents of the payments that have to be refunded, oldest first. */
  refundsDue(): Promise<string[]>;
  /** Records that the gateway has refunded this payment. */
  recordRefund(intent: string): Promise<void>;
  /** Expires the bookings whose hold is over; resolves to their number. */
  expireHolds(): Promise<number>;
  /** Resolves if the database answers and has the tables. */
  ping(): Promise<void>;
}

const BOOKING = `
  id, slot_id as "slotId", provider_id as "providerId", customer_id as "customerId",
  customer_name as "customerName", notes, start_at as "startAt", end_at as "endAt", status,
  idempotency_key as "idempotencyKey", payment_intent_id as "paymentIntentId",
  created_by as "createdBy", hold_expires_at as "holdExpiresAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

const FIND_SLOT = `
  select id from availability_slots where provider_id = $1 and start_at = $2 and end_at = $3`;

// now() is the start of the transaction and the default of created_at, so the two are equal only in
// the transaction that wrote the row.
const CLAIM = `
  select created_at = now() as created, ${BOOKING}
    from claim_slot_and_create_booking($1, $2, $3, $4, $5, $6, $7, $8)`;

const FIND = `
  select (status = 'pending' and hold_expires_at <= now()) is true as "holdOver", ${BOOKING}
    from bookings where id = $1`;
const CANCEL = `select ${BOOKING} from cancel_booking($1, $2)`;
const RESCHEDULE = `select ${BOOKING} from reschedule_booking($1, $2, $3)`;

const RECORD_PAYMENT = `
  select (recorded.payment).status as "paymentStatus", ${BOOKING}
    from record_payment($1, $2, $3) recorded cross join lateral (select (recorded.booking).*) booking`;

const REFUNDS_DUE = `
  select intent from payments where status = 'refund_due' order by created_at, intent`;

const RECORD_REFUND = `
  update payments set status = 'refunded', updated_at = now()
   where intent = $1 and status = 'refund_due'`;

const FREE_SLOTS = `
  select id, provider_id as "providerId", start_at as "startAt", end_at as "endAt"
    from availability_slots s
   where provider_id = $1
     and is_available
     and start_at > now()
     and not exists (
       select from bookings b
        where b.provider_id = s.provider_id
          and b.status in ('pending', 'confirmed')
          and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(s.start_at, s.end_at, '[)')
     )
   order by start_at, end_at`;

/**
 * The store on Postgres. Every method runs one statement, or a look-up and one statement. Each
 * statement is its own transaction, so no connection returns to the pool with an open one. An idle
 * connection that dies is dropped, and the next query opens another. Methods reject with `pg`'s
 * errors (see `errorFromPostgres`) or a ServiceError. `ping` uses `healthPool`, so that it can answer
 * while requests use all connections of `pool`.
 */
export function postgresStore(pool: Pool, healthPool = pool): BookingStore {
  for (const each of new Set([pool, healthPool])) each.on("error", () => {});

  async function query<Row extends object>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return retryTransient(() => runStatement<Row>(pool, sql, values));
  }

  async function one<Row extends object>(sql: string, ...values: unknown[]): Promise<Row> {
    const [row] = await query<Row>(sql, ...values);
    if (row === undefined) throw new Error(`The statement returned no row:${sql}`);
    return row;
  }

  return {
    async createBooking(request) {
      const { providerId, startAt, endAt } = request;
      const [slot] = await query<{ id: string }>(FIND_SLOT, providerId, startAt, endAt);
      if (slot === undefined) {
        throw new ServiceError(
          "SLOT_NOT_FOUND",
          "Slot not found",
          "Choose one of the provider's free slots.",
        );
      }
      const { created, ...booking } = await one<Booking & { created: boolean }>(
        CLAIM,
        slot.id,
        providerId,
        request.customerId,
        request.customerName,
        request.notes,
        request.idempotencyKey,
        request.paymentIntentId,
        request.createdBy ?? "customer",
      );
      return { booking, created };
    },

    async findProvider(providerId) {
      const sql = "select id, name from providers where id = $1";
      const [provider] = await query<Provider>(sql, providerId);
      if (provider !== undefined) return provider;
      throw new ServiceError("VENDOR_NOT_FOUND", "Vendor not found", "Check the vendor's id.");
    },

    async findBooking(bookingId) {
      const [found] = await query<Booking & { holdOver: boolean }>(FIND, bookingId);
      if (found !== undefined) {
        const { holdOver, ...booking } = found;
        return { booking, holdOver };
      }
      throw new ServiceError("BOOKING_NOT_FOUND", "Booking not found", "Check the booking's id.");
    },

    cancelBooking: (bookingId, actor) => one(CANCEL, bookingId, actor),

    rescheduleBooking: (bookingId, slotId, actor) => one(RESCHEDULE, bookingId, slotId, actor),

    freeSlots: (providerId) => query(FREE_SLOTS, providerId),

    async recordPayment(bookingId, intent, captured) {
      const { paymentStatus, ...booking } = await one<
        Booking & Pick<RecordedPayment, "paymentStatus">
      >(RECORD_PAYMENT, bookingId, intent, captured);
      return { paymentStatus, booking };
    },

    async refundsDue() {
      return (await query<{ intent: string }>(REFUNDS_DUE)).map(({ intent }) => intent);
    },

    async recordRefund(intent) {
      await query(RECORD_REFUND, intent);
    },

    async expireHolds() {
      return (await one<{ expired: number }>("select expire_holds() as expired")).expired;
    },

    async ping() {
      await runStatement(healthPool, "select from bookings limit 0", []);
    },
  };
}
