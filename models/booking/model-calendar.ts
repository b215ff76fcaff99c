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

/** A time that a provider offers. Its provider and its times never change. */
export interface CalendarSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
  /** Whether the provider took it back. */
  readonly withdrawn: boolean;
}

/** Who has, or had, which slot. */
export interface CalendarBooking extends Omit<StartingBooking, "holdExpiresAt"> {
  readonly provider: number;
  readonly holdExpiresAt: string | null;
  readonly idempotencyKey: string | null;
  /** The slot that was asked for with the key; the booking may have moved since. */
  readonly requestedSlot: number | null;
  readonly paymentIntentId: string | null;
}

/** All that the service knows. A calendar never changes: a operation makes another one of it. */
export interface Calendar {
  readonly providers: BookingState["providers"];
  readonly slots: ReadonlyMap<number, CalendarSlot>;
  readonly bookings: ReadonlyMap<number, CalendarBooking>;
  /** By their intents. */
  readonly payments: ReadonlyMap<string, InitialPayment>;
  /** Whether the slots of `SOON_DAY` have begun. */
  readonly late: boolean;
  /**
   * What is in the database in the end. The service chooses the ids of what it makes. Where an
   * answer was lost, that is where the id is found.
   */
  readonly final: Snapshot | undefined;
}

/** When the hold of a booking that a operation makes ends: after any `expire` of a scenario. */
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

/** The calendar with a slot that is new, or different. */
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

/** Slots are half-open, [start, end): one that begins when another ends does not overlap it. */
function overlap(a: CalendarSlot, b: CalendarSlot): boolean {
  return a.provider === b.provider && a.startAt < b.endAt && b.startAt < a.endAt;
}

/** Whether an active booking has this very slot. */
export function isTaken(calendar: Calendar, slot: CalendarSlot): boolean {
  return some(calendar.bookings, (booking) => booking.slot === slot.id && isActive(booking));
}

/**
 * Whether a slot can be had: it was not withdrawn, nobody has it, and nobody has one that overlaps
 * it. `mover` is the booking that wants to move there: what it has itself is in nobody's way.
 */
export function isFree(calendar: Calendar, slot: CalendarSlot, mover?: CalendarBooking): boolean {
  const inTheWay = (booking: CalendarBooking): boolean => {
    const its = calendar.slots.get(booking.slot);
    return booking.id !== mover?.id && isActive(booking) && its !== undefined && overlap(its, slot);
  };
  return !slot.withdrawn && !some(calendar.bookings, inTheWay);
}

function some<T>(things: ReadonlyMap<number, T>, holds: (thing: T) => boolean): boolean {
  for (const thing of things.values()) if (holds(thing)) return true;
  return false;
}

/** Equal for equal calendars. What never changes is left out. */
export function keyOf({ slots, bookings, payments, late }: Calendar): string {
  const parts: unknown[] = [late];
  for (const { id, withdrawn } of slots.values()) parts.push(id, withdrawn);
  for (const { id, slot, status, paymentIntentId, holdExpiresAt, customer } of bookings.values()) {
    parts.push(id, slot, status, paymentIntentId, holdExpiresAt, customer);
  }
  for (const { intent, status } of payments.values()) parts.push(intent, status);
  return parts.join();
}

/** Why what was left in the tables is not what the calendar says; undefined if it is. */
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
    payment_intent_id: booking.paymentIntentId,
  };
}

/** Compares the columns that the calendar knows of. */
function difference(
  thing: string,
  key: string,
  expected: readonly JsonObject[],
  actual: readonly JsonObject[] = [],
): string | undefined {
  const there = new Map(actual.map((row) => [row[key], row]));
  for (const row of expected) {
    const other = there.get(row[key]);
    if (other === undefined) return `${thing} ${row[key]} should be there`;
    there.delete(row[key]);
    for (const [column, value] of Object.entries(row)) {
      const [should, is] = [value, column.endsWith("_at") ? time(other[column]) : other[column]];
      if (should === is) continue;
      return `${thing} ${row[key]}'s ${column} should be ${JSON.stringify(should)}, and is ${JSON.stringify(is)}`;
    }
  }
  const [more] = there.keys();
  return more === undefined ? undefined : `${thing} ${more} should not be there`;
}

/** Postgres writes times in its own way. */
function time(value: JsonObject[string] | undefined): JsonObject[string] | undefined {
  return typeof value === "string" ? new Date(value).toISOString() : value;
}
