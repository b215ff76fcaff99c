import type { Json, JsonObject } from "../../harness/index.ts";

/*
 * The calendar in which scenarios begin, or their prefixes: in it each operation can succeed. All times are
 * far in the past or far in the future, so that executions do not depend on the current time.
 */

export type BookingStatus = "pending" | "confirmed" | "cancelled" | "completed" | "expired";

/** Future slots begin on this day or later. */
export const FUTURE_DAY = "2100-01-04T09:00:00.000Z";
/** Slots of this day are in the future until `elapse`. */
export const SOON_DAY = "2050-01-03T09:00:00.000Z";
/** Past slots begin on this day. */
const PAST_DAY = "2001-01-01T09:00:00.000Z";

/**
 * The time that `expire` gets. It is in the past, as in the service's own calls, so that no booking made
 * during an `expire` concerns it (expire.pg.test.ts shows the alternative). `LAPSED_HOLD` is over by
 * then; `RUNNING_HOLD` and the holds of new bookings are not.
 */
export const EXPIRY_TIME = "2002-01-01T00:00:00.000Z";
const LAPSED_HOLD = "2001-06-01T00:00:00.000Z";
export const RUNNING_HOLD = "2099-06-01T00:00:00.000Z";

/** A slot of an hour, as it is identified over HTTP. */
export interface SlotTime {
  readonly id: number;
  readonly provider: number;
  /** ISO 8601 in UTC. The slot is the half-open range [start, end). */
  readonly startAt: string;
  readonly endAt: string;
}

const HALF_HOUR_MS = 30 * 60 * 1000;

function slot(id: number, halfHours: number, day = FUTURE_DAY, provider = 1): SlotTime {
  const at = (count: number) => new Date(Date.parse(day) + count * HALF_HOUR_MS).toISOString();
  return { id, provider, startAt: at(halfHours), endAt: at(halfHours + 2) };
}

/** The slots by what is special about them. Booked slots have a booking of the same name. */
export const SLOT = {
  lapsed: slot(1, 0),
  /** Adjacent to the first and the third one. */
  confirmed: slot(2, 2),
  free: slot(3, 4),
  /** Overlaps the one before. */
  besideFree: slot(4, 5),
  pending: slot(5, 9),
  /** Its booking was cancelled, and its payment is due for a refund. */
  refund: slot(6, 100),
  expired: slot(7, 150),
  withdrawn: slot(8, 200),
  past: slot(9, 0, PAST_DAY),
  /** These two overlap. The second one's booking is held. */
  soonExpired: slot(10, 0, SOON_DAY),
  soonLapsed: slot(11, 1, SOON_DAY),
  foreignFree: slot(12, 4, FUTURE_DAY, 2),
  foreignConfirmed: slot(13, 9, FUTURE_DAY, 2),
  /** No slots yet: the first that is published gets this id. They overlap, and the first one is adjacent to another. */
  unpublished: slot(14, 11),
  besideUnpublished: slot(15, 12),
} as const;

export const SLOTS: readonly SlotTime[] = Object.values(SLOT);

/** The slot of an id. */
export function slotOf(id: unknown): SlotTime {
  const found = SLOTS.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new Error(`no operation names the slot ${id}`);
}

interface InitialBooking {
  readonly id: number;
  readonly slot: SlotTime;
  readonly customer: string;
  readonly status: BookingStatus;
  /** When the hold of a pending booking ends. */
  readonly holdExpiresAt?: string;
  /** The status of its payment. */
  readonly paid?: "captured" | "refund_due";
}

/** The bookings, all of customers, by their slots' names. */
export const BOOKING = {
  lapsed: booking(1, SLOT.lapsed, "pending", { holdExpiresAt: LAPSED_HOLD }),
  confirmed: booking(2, SLOT.confirmed, "confirmed", { paid: "captured" }),
  pending: booking(3, SLOT.pending, "pending", { holdExpiresAt: RUNNING_HOLD }),
  refund: booking(4, SLOT.refund, "cancelled", { paid: "refund_due" }),
  expired: booking(5, SLOT.expired, "expired"),
  soonExpired: booking(6, SLOT.soonExpired, "expired"),
  soonLapsed: booking(7, SLOT.soonLapsed, "pending", { holdExpiresAt: LAPSED_HOLD }),
  foreignConfirmed: booking(8, SLOT.foreignConfirmed, "confirmed", { paid: "captured" }),
} as const;

/** The id of the first booking that is made. */
export const FIRST_MADE = 9;

export const BOOKINGS: readonly InitialBooking[] = Object.values(BOOKING);

function booking(
  id: number,
  slot: SlotTime,
  status: BookingStatus,
  others: Pick<InitialBooking, "holdExpiresAt" | "paid"> = {},
): InitialBooking {
  return { id, slot, customer: `customer-${((id - 1) % 3) + 1}`, status, ...others };
}

/** The attempt to pay that the gateway declines; it captures all others. */
export const DECLINED_ATTEMPT = 3;

/** A customer may try to pay a booking several times, each time with another intent. */
export function intentOf(booking: number, attempt: number): string {
  return `pi_${booking}_${attempt}`;
}

/**
 * The actor that sends an operation: `customer:ID`, `vendor:PROVIDER`, `system:NAME`, or `nobody` for no token.
 * The creator of a booking is its customer or vendor; the owner of one that the execution makes is vendor 1.
 */
export function senderOf(as: Json | undefined, values: JsonObject): string {
  const { createdBy, provider, slot, customer, booking } = values;
  if (as === "creator") {
    return createdBy === "vendor"
      ? `vendor:${provider ?? slotOf(slot).provider}`
      : `customer:${customer}`;
  }
  if (as !== "owner") return String(as);
  const known = BOOKINGS.find(({ id }) => id === Number(booking));
  return known === undefined ? "vendor:1" : `customer:${known.customer}`;
}

/** The rows of the calendar, as SQL. */
export function calendarSql(): string {
  const published = SLOTS.filter(({ id }) => id < SLOT.unpublished.id);
  const isTaken = ({ id }: SlotTime) =>
    BOOKINGS.some(({ slot, status }) => slot.id === id && /pending|confirmed/.test(status));
  const payments = BOOKINGS.filter(({ paid }) => paid !== undefined);
  return [
    insert(
      "providers",
      [1, 2].map((id) => ({ id, name: `Provider ${id}` })),
    ),
    insert(
      "availability_slots",
      published.map((one) => ({
        id: one.id,
        provider_id: one.provider,
        start_at: one.startAt,
        end_at: one.endAt,
        is_available: one !== SLOT.withdrawn && !isTaken(one),
        withdrawn_at: one === SLOT.withdrawn ? one.startAt : null,
      })),
    ),
    insert(
      "bookings",
      BOOKINGS.map((one) => ({
        id: one.id,
        slot_id: one.slot.id,
        provider_id: one.slot.provider,
        start_at: one.slot.startAt,
        end_at: one.slot.endAt,
        customer_id: one.customer,
        customer_name: "Ada Lovelace",
        notes: "",
        status: one.status,
        created_by: "customer",
        hold_expires_at: one.holdExpiresAt ?? null,
        payment_intent_id: one.paid === undefined ? null : intentOf(one.id, 1),
      })),
    ),
    insert(
      "payments",
      payments.map(({ id, paid = "" }) => ({
        intent: intentOf(id, 1),
        booking_id: id,
        status: paid,
      })),
    ),
    "select setval(pg_get_serial_sequence('providers', 'id'), 2)",
    `select setval(pg_get_serial_sequence('availability_slots', 'id'), ${published.length})`,
    `select setval(pg_get_serial_sequence('bookings', 'id'), ${BOOKINGS.length})`,
  ].join(";\n");
}

function insert(table: string, rows: readonly object[]): string {
  const columns = Object.keys(rows[0] ?? {}).join(", ");
  return `insert into ${table} (${columns}) overriding system value
    select ${columns} from jsonb_populate_recordset(null::${table}, '${JSON.stringify(rows)}')`;
}
