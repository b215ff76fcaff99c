import type { JsonObject, ObservedHistory, Snapshot } from "../../harness/index.ts";
import type { BookingOperation } from "./operations.ts";
import {
  type BookingState,
  FUTURE_DAY,
  type InitialPayment,
  RUNNING_HOLD,
  SOON_DAY,
  type InitialBooking as StartingBooking,
} from "./state.ts";

/** A slot. Its provider and its times never change. */
export interface CalendarSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
  /** Whether the provider has withdrawn it. */
  readonly withdrawn: boolean;
}

/** A booking, active or not. */
export interface CalendarBooking extends Omit<StartingBooking, "holdExpiresAt"> {
  readonly provider: number;
  readonly holdExpiresAt: string | null;
  readonly idempotencyKey: string | null;
  /** The slot that the create with the key asked for. The booking may have moved since. */
  readonly requestedSlot: number | null;
  /** The payment that the create with the key named. Another one may have paid since. */
  readonly requestedPayment: string | null;
  readonly paymentIntentId: string | null;
}

/** The state of the service in the sequential specification. Immutable. */
export interface Calendar {
  readonly providers: BookingState["providers"];
  readonly slots: ReadonlyMap<number, CalendarSlot>;
  readonly bookings: ReadonlyMap<number, CalendarBooking>;
  /** By intent. */
  readonly payments: ReadonlyMap<string, InitialPayment>;
  /** Whether the slots of `SOON_DAY` have begun. */
  readonly late: boolean;
  /**
   * The final contents of the database. Where the response of a create or publish was lost, the model
   * takes the id that the service chose from here.
   */
  readonly final: Snapshot | undefined;
}

/** The end of a new booking's hold, which is after every `expire` of a scenario. */
export const NEW_HOLD = RUNNING_HOLD;

export function calendarOf({
  initial,
  final,
}: ObservedHistory<BookingState, BookingOperation>): Calendar {
  const slots = initial.slots.map(({ available, ...slot }): CalendarSlot => slot);
  const slotOf = new Map(slots.map((slot) => [slot.id, slot]));
  const paidWith = new Map(
    initial.payments
      .filter(({ status }) => status !== "declined")
      .map(({ booking, intent }) => [booking, intent]),
  );
  const bookings = initial.bookings.map(
    (booking): CalendarBooking => ({
      ...booking,
      provider: slotOf.get(booking.slot)?.provider ?? 0,
      idempotencyKey: null,
      requestedSlot: null,
      requestedPayment: null,
      paymentIntentId: paidWith.get(booking.id) ?? null,
    }),
  );
  return {
    providers: initial.providers,
    slots: slotOf,
    bookings: new Map(bookings.map((booking) => [booking.id, booking])),
    payments: new Map(initial.payments.map((payment) => [payment.intent, payment])),
    late: false,
    final,
  };
}

/** Adds or replaces a slot. */
export function withSlot(calendar: Calendar, slot: CalendarSlot): Calendar {
  return { ...calendar, slots: new Map(calendar.slots).set(slot.id, slot) };
}

export function withBookings(
  calendar: Calendar,
  ...bookings: readonly CalendarBooking[]
): Calendar {
  if (bookings.length === 0) return calendar;
  const all = new Map(calendar.bookings);
  for (const booking of bookings) all.set(booking.id, booking);
  return { ...calendar, bookings: all };
}

export function withPayments(calendar: Calendar, ...payments: readonly InitialPayment[]): Calendar {
  if (payments.length === 0) return calendar;
  const all = new Map(calendar.payments);
  for (const payment of payments) all.set(payment.intent, payment);
  return { ...calendar, payments: all };
}

export function isActive({ status }: CalendarBooking): boolean {
  return status === "pending" || status === "confirmed";
}

/** Whether a slot has begun. */
export function isPast({ late }: Calendar, slot: CalendarSlot): boolean {
  return slot.startAt < (late ? FUTURE_DAY : SOON_DAY);
}

/** Slots are half-open, [start, end): adjacent slots do not overlap. */
function overlap(a: CalendarSlot, b: CalendarSlot): boolean {
  return a.provider === b.provider && a.startAt < b.endAt && b.startAt < a.endAt;
}

/** Whether an active booking has this slot. */
export function isTaken(calendar: Calendar, slot: CalendarSlot): boolean {
  return some(calendar.bookings, (booking) => booking.slot === slot.id && isActive(booking));
}

/**
 * Whether a slot can be booked: it is not withdrawn, and no active booking overlaps it. `mover` is the
 * booking to be moved there, whose own slot does not count.
 */
export function isFree(calendar: Calendar, slot: CalendarSlot, mover?: CalendarBooking): boolean {
  const conflicts = (booking: CalendarBooking): boolean => {
    const taken = calendar.slots.get(booking.slot);
    return (
      booking.id !== mover?.id && isActive(booking) && taken !== undefined && overlap(taken, slot)
    );
  };
  return !slot.withdrawn && !some(calendar.bookings, conflicts);
}

function some<T>(things: ReadonlyMap<number, T>, holds: (thing: T) => boolean): boolean {
  for (const thing of things.values()) if (holds(thing)) return true;
  return false;
}

/** Equal for equal calendars. Fields that never change are left out. */
export function keyOf({ slots, bookings, payments, late }: Calendar): string {
  const parts: unknown[] = [late];
  for (const { id, withdrawn } of slots.values()) parts.push(id, withdrawn);
  for (const { id, slot, status, paymentIntentId, holdExpiresAt, customer } of bookings.values()) {
    parts.push(id, slot, status, paymentIntentId, holdExpiresAt, customer);
  }
  for (const { intent, status } of payments.values()) parts.push(intent, status);
  return parts.join();
}

/** The first difference between the final rows and the calendar; undefined if they agree. */
export function unexpectedContents(calendar: Calendar, final: Snapshot): string | undefined {
  const { providers, slots, bookings, payments } = calendar;
  return (
    difference("provider", "id", providers, final["providers"]) ??
    difference("slot", "id", rows(slots, slotRow, calendar), final["availability_slots"]) ??
    difference("booking", "id", rows(bookings, bookingRow, calendar), final["bookings"]) ??
    difference("payment", "intent", rows(payments, paymentRow, calendar), final["payments"])
  );
}

function rows<T>(
  things: ReadonlyMap<unknown, T>,
  rowOf: (thing: T, calendar: Calendar) => JsonObject,
  calendar: Calendar,
): JsonObject[] {
  return [...things.values()].map((thing) => rowOf(thing, calendar));
}

function paymentRow({ intent, booking, status }: InitialPayment): JsonObject {
  return { intent, booking_id: booking, status };
}

function slotRow(slot: CalendarSlot, calendar: Calendar): JsonObject {
  return {
    id: slot.id,
    provider_id: slot.provider,
    start_at: slot.startAt,
    end_at: slot.endAt,
    is_available: !slot.withdrawn && !isTaken(calendar, slot),
    withdrawn_at: slot.withdrawn,
  };
}

function bookingRow(booking: CalendarBooking, { slots }: Calendar): JsonObject {
  const slot = slots.get(booking.slot);
  return {
    id: booking.id,
    slot_id: booking.slot,
    provider_id: booking.provider,
    start_at: slot?.startAt ?? null,
    end_at: slot?.endAt ?? null,
    customer_id: booking.customer,
    customer_name: booking.customerName,
    notes: booking.notes,
    status: booking.status,
    created_by: booking.createdBy,
    hold_expires_at: booking.holdExpiresAt !== null,
    idempotency_key: booking.idempotencyKey,
    idempotency_slot_id: booking.requestedSlot,
    idempotency_payment_intent_id: booking.requestedPayment,
    payment_intent_id: booking.paymentIntentId,
  };
}

/** Compares the columns that the calendar has. */
function difference(
  thing: string,
  key: string,
  expected: readonly JsonObject[],
  actual: readonly JsonObject[] = [],
): string | undefined {
  const rest = new Map(actual.map((row) => [row[key], row]));
  for (const row of expected) {
    const other = rest.get(row[key]);
    if (other === undefined) return `${thing} ${row[key]} is missing`;
    rest.delete(row[key]);
    for (const [column, value] of Object.entries(row)) {
      const [should, is] = [value, column.endsWith("_at") ? time(other[column]) : other[column]];
      if (should === is) continue;
      return `${thing} ${row[key]}'s ${column} should be ${JSON.stringify(should)}, not ${JSON.stringify(is)}`;
    }
  }
  const [unexpected] = rest.keys();
  return unexpected === undefined ? undefined : `${thing} ${unexpected} should not exist`;
}

/** Postgres writes times in another format than the model. */
function time(value: JsonObject[string] | undefined): JsonObject[string] | undefined {
  return typeof value === "string" ? new Date(value).toISOString() : value;
}
