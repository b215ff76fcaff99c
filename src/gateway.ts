import { Pool } from "undici";
import type { Booking, Id } from "./booking.ts";
import { ServiceError } from "./errors.ts";

/**
 * - `captured`: the payment is kept for its booking.
 * - `refund_due`: the payment has to be refunded.
 * - `refunded`: the gateway has refunded the payment.
 * - `declined`: no money moved.
 */
type PaymentStatus = "captured" | "refund_due" | "refunded" | "declined";

/** The gateway's status of a payment: not paid yet, paid, or refused by the card. */
type IntentStatus = "open" | "captured" | "declined";

/** A payment as the gateway reports it. `payUrl` is the page on which the customer pays. */
export interface PaymentIntent {
  readonly id: string;
  readonly bookingId: string;
  readonly status: IntentStatus;
  readonly payUrl: string;
}

/** The recorded status of a payment, and its booking afterwards. */
export interface RecordedPayment {
  readonly paymentStatus: PaymentStatus;
  readonly booking: Booking;
}

/** An event of the gateway. Each is delivered at least once, in any order. */
export interface PaymentEvent {
  readonly type: "payment.captured" | "payment.declined";
  readonly intent: string;
  readonly bookingId: Id;
}

/**
 * The payment gateway. Every call is idempotent. A call whose outcome is unknown rejects with
 * ServiceError `GATEWAY_UNAVAILABLE`.
 */
export interface PaymentGateway {
  /** Returns the intent of a booking. The first call creates it. */
  open(bookingId: Id): Promise<PaymentIntent>;
  find(intent: string): Promise<PaymentIntent | undefined>;
  /** Refunds a captured payment. */
  refund(intent: string): Promise<void>;
}

/** A gateway with connections that have to be closed. */
interface GatewayClient extends PaymentGateway {
  close(): Promise<void>;
}

/**
 * A client of the gateway at `url`. A call fails after `timeoutMs`. Idempotency keys are derived from
 * the booking or the intent, so that the gateway recognises a repeat after a restart too.
 */
export function httpGateway(url: string, timeoutMs = 5_000): GatewayClient {
  const http = new Pool(url);

  async function call(path: string, key?: string, body: object = {}) {
    try {
      const response = await http.request({
        path,
        signal: AbortSignal.timeout(timeoutMs),
        method: key === undefined ? "GET" : "POST",
        ...(key !== undefined && {
          headers: { "content-type": "application/json", "idempotency-key": key },
          body: JSON.stringify(body),
        }),
      });
      const answer: unknown = await response.body.json();
      return { status: response.statusCode, answer };
    } catch (error) {
      throw unavailable(error);
    }
  }

  return {
    async open(bookingId) {
      const { status, answer } = await call("/intents", `booking-${bookingId}`, {
        bookingId: String(bookingId),
      });
      if (status !== 200) throw unavailable(answer);
      return answer as PaymentIntent;
    },

    async find(intent) {
      const { status, answer } = await call(`/intents/${encodeURIComponent(intent)}`);
      if (status === 404) return undefined;
      if (status !== 200) throw unavailable(answer);
      return answer as PaymentIntent;
    },

    async refund(intent) {
      const path = `/intents/${encodeURIComponent(intent)}/refunds`;
      const { status, answer } = await call(path, `refund-${intent}`);
      if (status !== 200) throw unavailable(answer);
    },

    close: () => http.close(),
  };
}

/** Rejects every call: no gateway is configured. */
export const noGateway: PaymentGateway = {
  open: () => Promise.reject(unavailable("there is none")),
  find: () => Promise.reject(unavailable("there is none")),
  refund: () => Promise.reject(unavailable("there is none")),
};

function unavailable(cause: unknown): ServiceError {
  return new ServiceError(
    "GATEWAY_UNAVAILABLE",
    "The payment gateway cannot be reached",
    "Try again in a moment. Nothing is paid twice.",
    { cause },
  );
}
