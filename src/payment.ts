import type { Booking, Id } from "./booking.ts";

/**
 * `captured` money is kept for its booking; `refund_due` has to be given back, and is `refunded`
 * once the gateway has done so; `declined` never moved.
 */
type PaymentStatus = "captured" | "refund_due" | "refunded" | "declined";

/** What the gateway says of a payment: the customer has not paid yet, has, or could not. */
type IntentStatus = "open" | "captured" | "declined";

/** A payment as the gateway has it. `payUrl` is the page on which the customer pays. */
export interface PaymentIntent {
  readonly id: string;
  readonly bookingId: string;
  readonly status: IntentStatus;
  readonly payUrl: string;
}

/** What is recorded of a payment, and the booking as it is then. */
export interface RecordedPayment {
  readonly paymentStatus: PaymentStatus;
  readonly booking: Booking;
}

/** An event that the gateway sends, at least once, in any order. */
export interface PaymentEvent {
  readonly type: "payment.captured" | "payment.declined";
  readonly intent: string;
  readonly bookingId: Id;
}

/**
 * Where money is moved. Every call may be repeated, and then does nothing further. Rejects with
 * ServiceError `GATEWAY_UNAVAILABLE` when nobody can tell what became of a call.
 */
export interface PaymentGateway {
  /** The one intent of a booking, made by the first call. */
  open(bookingId: Id): Promise<PaymentIntent>;
  find(intent: string): Promise<PaymentIntent | undefined>;
  /** Gives a captured payment back. */
  refund(intent: string): Promise<void>;
}
