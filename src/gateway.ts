import { Pool } from "undici";
import type { Booking, Id } from "./booking.ts";
import { ServiceError } from "./errors.ts";

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

/** A gateway, and the connections to it. */
interface GatewayClient extends PaymentGateway {
  close(): Promise<void>;
}

/**
 * The gateway at `url`. A call that takes longer than `timeoutMs` is given up. Idempotency keys
 * are derived from what a call is about, so that a repeat after a restart is a repeat as well.
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

/** Where no gateway is set up, nobody can pay. */
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
