import type { Dispatcher } from "undici";
import type { Json, JsonObject, Response } from "../../harness/index.ts";
import type { ResolvedOperation } from "./operations.ts";
import { bookingBody, connectionLost, slotBody } from "./responses.ts";
import { intentOf } from "./state.ts";

export type HttpOperation = Extract<
  ResolvedOperation,
  {
    readonly name: "create" | "cancel" | "confirm" | "webhook" | "refund" | "reschedule" | "list";
  }
>;

/** Returns the token of an actor; undefined for `nobody`. */
export type TokenOf = (actor: string) => Promise<string | undefined>;

/** Performs an operation over HTTP, with its sender's token. After a 5xx the outcome is unknown. */
export async function performOverHttp(
  service: Pick<Dispatcher, "request">,
  request: HttpOperation,
  tokenOf: TokenOf,
): Promise<Response> {
  const { path, payload } = route(request);
  const token = "by" in request ? await tokenOf(request.by) : undefined;
  let status: number;
  let answer: JsonObject;
  try {
    const { statusCode, body } = await service.request({
      path,
      method: payload === undefined ? "GET" : "POST",
      ...(payload !== undefined && {
        headers: {
          "content-type": "application/json",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(payload),
      }),
    });
    status = statusCode;
    answer = parse(await body.text());
  } catch {
    return connectionLost;
  }
  return {
    outcome: status < 400 ? "ok" : status < 500 ? "fail" : "info",
    code: typeof answer["code"] === "string" ? answer["code"] : `HTTP_${status}`,
    status,
    body: status < 400 ? content(request, answer) : null,
  };
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

function content(request: HttpOperation, answer: JsonObject): Json {
  switch (request.name) {
    case "list":
      return Array.isArray(answer["slots"]) ? answer["slots"].map(slotBody) : [];
    // Which of two concurrent runs refunded a payment is not specified.
    case "refund":
    case "webhook":
      return null;
    default:
      return bookingBody(answer["booking"]);
  }
}

function route(request: HttpOperation): { path: string; payload?: JsonObject } {
  switch (request.name) {
    case "create": {
      const { slot, provider, customer, customerName, notes, createdBy } = request;
      const { idempotencyKey, paymentIntentId } = request;
      return {
        path: "/api/bookings/create",
        payload: {
          providerId: String(provider ?? slot.provider),
          startAt: slot.startAt,
          endAt: slot.endAt,
          customerId: customer,
          customerName,
          notes,
          createdBy,
          ...(idempotencyKey !== undefined && { idempotencyKey }),
          ...(paymentIntentId !== undefined && { paymentIntentId }),
        },
      };
    }
    case "cancel":
      return { path: `/api/bookings/${request.booking}/cancel`, payload: {} };
    case "confirm": {
      const { booking, attempt } = request;
      return {
        path: `/api/bookings/${booking}/confirm`,
        payload: { paymentIntentId: intentOf(booking, attempt) },
      };
    }
    case "webhook": {
      const { booking, attempt, captured } = request;
      return {
        path: "/api/payments/webhook",
        payload: {
          type: captured ? "payment.captured" : "payment.declined",
          intent: intentOf(booking, attempt),
          bookingId: booking,
        },
      };
    }
    case "refund":
      return { path: "/api/payments/refunds", payload: {} };
    case "reschedule":
      return {
        path: `/api/bookings/${request.booking}/reschedule`,
        payload: { slotId: String(request.slot.id) },
      };
    case "list":
      return { path: `/api/vendors/${request.provider}/slots` };
  }
}
