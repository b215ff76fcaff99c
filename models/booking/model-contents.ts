import type { JsonObject, Snapshot } from "../../harness/index.ts";
import { type CalendarBooking, type Calendar, isTaken, type CalendarSlot } from "./model-calendar.ts";
import type { InitialPayment } from "./state.ts";

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
