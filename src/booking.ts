/** An id as clients send it. A bigint does not fit a JSON number, so a decimal string is better. */
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

/** A booking, and whether its time to pay is over by the database's clock: a sweep has yet to end it. */
export interface FoundBooking {
  readonly booking: Booking;
  readonly holdOver: boolean;
}

/** Whose calendar it is: a vendor. */
export interface Provider {
  readonly id: string;
  readonly name: string;
}

/** A time that a provider offers, and that can be booked. */
export interface Slot {
  readonly id: string;
  readonly providerId: string;
  readonly startAt: Date;
  readonly endAt: Date;
}

/** What a create asks for. The slot is named by its provider, start and end (ISO 8601). */
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
