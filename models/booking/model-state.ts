import type {
  ExpectedRows,
  Json,
  JsonObject,
  SentOperation,
  ServiceModel,
  Snapshot,
} from "../../harness/index.ts";
import {
  type BookingStatus,
  FUTURE_DAY,
  RUNNING_HOLD,
  type SlotTime,
  SOON_DAY,
  slotOf,
} from "./calendar.ts";

/** A slot. Its provider and its times never change. */
export interface ModelSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
  /** Whether the provider has withdrawn it. */
  readonly withdrawn: boolean;
}

/** A booking, active or not. */
export interface ModelBooking {
  readonly id: number;
  readonly slot: number;
  readonly provider: number;
  readonly customer: string;
  readonly customerName: string;
  readonly notes: string;
  readonly status: BookingStatus;
  readonly createdBy: string;
  /** The end of the hold of a pending booking: of a new one, after every `expire` of a scenario. */
  readonly holdExpiresAt: string | null;
  readonly idempotencyKey: string | null;
  /** The slot that the create with the key asked for. The booking may have moved since. */
  readonly requestedSlot: number | null;
  /** The payment that the create with the key named. Another one may have paid since. */
  readonly requestedPayment: string | null;
  readonly paymentIntentId: string | null;
}

export interface ModelPayment {
  readonly intent: string;
  readonly booking: number;
  readonly status: "captured" | "refund_due" | "refunded" | "declined";
}

/** The state of the service in the sequential specification. Immutable. */
export interface Calendar {
  readonly slots: ReadonlyMap<number, ModelSlot>;
  readonly bookings: ReadonlyMap<number, ModelBooking>;
  /** By intent. */
  readonly payments: ReadonlyMap<string, ModelPayment>;
  /** Whether the slots of `SOON_DAY` have begun. */
  readonly late: boolean;
}

/** The calendar of a database. */
export function calendarOf(rows: Snapshot): Calendar {
  const all = (table: string) => rows[`public.${table}`] ?? [];
  const slots = all("availability_slots").map(
    (row): ModelSlot => ({
      id: Number(row["id"]),
      provider: Number(row["provider_id"]),
      startAt: time(row["start_at"]),
      endAt: time(row["end_at"]),
      withdrawn: row["withdrawn_at"] !== null,
    }),
  );
  const bookings = all("bookings").map(
    (row): ModelBooking => ({
      id: Number(row["id"]),
      slot: Number(row["slot_id"]),
      provider: Number(row["provider_id"]),
      customer: String(row["customer_id"]),
      customerName: String(row["customer_name"]),
      notes: String(row["notes"]),
      status: row["status"] as BookingStatus,
      createdBy: String(row["created_by"]),
      holdExpiresAt: holdOf(row["hold_expires_at"]),
      idempotencyKey: text(row["idempotency_key"]),
      requestedSlot: row["idempotency_slot_id"] as number | null,
      requestedPayment: text(row["idempotency_payment_intent_id"]),
      paymentIntentId: text(row["payment_intent_id"]),
    }),
  );
  const payments = all("payments").map(
    (row): ModelPayment => ({
      intent: String(row["intent"]),
      booking: Number(row["booking_id"]),
      status: row["status"] as ModelPayment["status"],
    }),
  );
  return {
    slots: new Map(slots.map((slot) => [slot.id, slot])),
    bookings: new Map(bookings.map((booking) => [booking.id, booking])),
    payments: new Map(payments.map((payment) => [payment.intent, payment])),
    late: false,
  };
}

function text(value: JsonObject[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** The hold of a booking that a prefix has made ends soon, but after the time that `expire` gets. */
function holdOf(value: JsonObject[string] | undefined): string | null {
  return value === "(now)" ? RUNNING_HOLD : text(value);
}

/** Postgres writes times in another format than the service. */
function time(value: JsonObject[string] | undefined): string {
  return new Date(String(value)).toISOString();
}

const isNull = (value: unknown) => value === null;
const isSet = (value: unknown) => value !== null;

/** The rows of a calendar. */
export function rowsOf(calendar: Calendar): { readonly [table: string]: ExpectedRows } {
  const { slots, bookings, payments } = calendar;
  return {
    availability_slots: [...slots.values()].map((slot) => ({
      id: slot.id,
      provider_id: slot.provider,
      start_at: slot.startAt,
      end_at: slot.endAt,
      is_available: !slot.withdrawn && !isTaken(calendar, slot),
      withdrawn_at: slot.withdrawn ? isSet : isNull,
    })),
    bookings: [...bookings.values()].map((booking) => ({
      id: booking.id,
      slot_id: booking.slot,
      provider_id: booking.provider,
      start_at: slots.get(booking.slot)?.startAt ?? null,
      end_at: slots.get(booking.slot)?.endAt ?? null,
      customer_id: booking.customer,
      customer_name: booking.customerName,
      notes: booking.notes,
      status: booking.status,
      created_by: booking.createdBy,
      hold_expires_at: booking.holdExpiresAt === null ? isNull : isSet,
      idempotency_key: booking.idempotencyKey,
      idempotency_slot_id: booking.requestedSlot,
      idempotency_payment_intent_id: booking.requestedPayment,
      payment_intent_id: booking.paymentIntentId,
    })),
    payments: [...payments.values()].map(({ intent, booking, status }) => ({
      intent,
      booking_id: booking,
      status,
    })),
  };
}

/**
 * Equal for equal calendars only. Two operations without an answer may have made each other's rows, so that all
 * columns count.
 */
export function keyOf({ slots, bookings, payments, late }: Calendar): string {
  return JSON.stringify([late, ...[slots, bookings, payments].map((rows) => [...rows.values()])]);
}

/** Adds or replaces a slot. */
export function withSlot(calendar: Calendar, slot: ModelSlot): Calendar {
  return { ...calendar, slots: new Map(calendar.slots).set(slot.id, slot) };
}

export function withBookings(calendar: Calendar, ...bookings: readonly ModelBooking[]): Calendar {
  if (bookings.length === 0) return calendar;
  const all = new Map(calendar.bookings);
  for (const booking of bookings) all.set(booking.id, booking);
  return { ...calendar, bookings: all };
}

export function withPayments(calendar: Calendar, ...payments: readonly ModelPayment[]): Calendar {
  if (payments.length === 0) return calendar;
  const all = new Map(calendar.payments);
  for (const payment of payments) all.set(payment.intent, payment);
  return { ...calendar, payments: all };
}

export function isActive({ status }: ModelBooking): boolean {
  return status === "pending" || status === "confirmed";
}

/** Whether a slot has begun. */
export function isPast({ late }: Calendar, slot: ModelSlot): boolean {
  return slot.startAt < (late ? FUTURE_DAY : SOON_DAY);
}

/** Slots are half-open, [start, end): adjacent slots do not overlap. */
function overlap(a: ModelSlot, b: ModelSlot): boolean {
  return a.provider === b.provider && a.startAt < b.endAt && b.startAt < a.endAt;
}

/** Whether an active booking has this slot. */
export function isTaken({ bookings }: Calendar, slot: ModelSlot): boolean {
  return [...bookings.values()].some((booking) => booking.slot === slot.id && isActive(booking));
}

/**
 * Whether a slot can be booked: it is not withdrawn, and no active booking overlaps it. `mover` is the
 * booking to be moved there, whose own slot does not count.
 */
export function isFree(calendar: Calendar, slot: ModelSlot, mover?: ModelBooking): boolean {
  const conflicts = (booking: ModelBooking): boolean => {
    const taken = calendar.slots.get(booking.slot);
    return (
      booking.id !== mover?.id && isActive(booking) && taken !== undefined && overlap(taken, slot)
    );
  };
  return !slot.withdrawn && ![...calendar.bookings.values()].some(conflicts);
}

/** The calendars of providers are independent. */
export const concerns: NonNullable<ServiceModel<Calendar>["concerns"]> = {
  operation({ name, values }, id) {
    if (["refund", "expire", "elapse"].includes(name)) return "everything";
    const { booking, slot, provider, customer, idempotencyKey } = values;
    return [
      ...thing("provider", slot === undefined ? null : timesOf(values).provider),
      ...thing("provider", provider),
      ...thing("slot", slot),
      ...thing("booking", booking),
      ...thing(name === "publish" ? "slot" : "booking", id),
      ...thing(`key of ${customer}`, idempotencyKey),
    ];
  },
  row: (table, { id, slot_id, booking_id, provider_id }) => [
    ...thing(KINDS[table] ?? table, id),
    ...thing("slot", slot_id),
    ...thing("booking", booking_id),
    ...thing("provider", provider_id),
  ],
};

const KINDS: { readonly [table: string]: string } = {
  "public.providers": "provider",
  "public.availability_slots": "slot",
  "public.bookings": "booking",
};

function thing(kind: string, id: Json | undefined): readonly string[] {
  return id === undefined || id === null ? [] : [`${kind} ${id}`];
}

/** The slot that an operation names. An attack names those of a deployment by their times. */
export function timesOf({ at, slot }: SentOperation["values"]): SlotTime {
  return (at as SlotTime | undefined) ?? slotOf(slot);
}
