/** An id as clients send it: a decimal string, or a JSON number where that is exact. */
export type Id = string | number;

export type BookingStatus = "pending" | "confirmed" | "cancelled" | "completed" | "expired";
export type Creator = "customer" | "vendor";

/** A booking as clients see it. Ids are decimal strings. */
export interface Booking {
  readonly id: string;
  readonly slotId: string;
  readonly providerId: string;
  readonly customerId: string;
  readonly customerName: string;
  readonly notes: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly status: BookingStatus;
  readonly idempotencyKey: string | null;
  readonly paymentIntentId: string | null;
  readonly createdBy: Creator;
  readonly holdExpiresAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * A booking, and whether its hold is over by the database's clock. Such a booking stays pending until
 * the next sweep expires it.
 */
export interface FoundBooking {
  readonly booking: Booking;
  readonly holdOver: boolean;
}

/** A vendor, who owns a calendar. */
export interface Provider {
  readonly id: string;
  readonly name: string;
}

/** A time that a provider offers. */
export interface Slot {
  readonly id: string;
  readonly providerId: string;
  readonly startAt: Date;
  readonly endAt: Date;
}

/** The body of a create. Provider, start and end (ISO 8601) identify the slot. */
export interface BookingRequest {
  readonly providerId: Id;
  readonly startAt: string;
  readonly endAt: string;
  readonly customerId: string;
  readonly customerName: string;
  readonly notes?: string;
  readonly idempotencyKey?: string;
  readonly paymentIntentId?: string;
  readonly createdBy?: Creator;
}
