import type { FastifyInstance } from "fastify";
import { requireActor, requireOwner, requireSystem } from "./authentication.ts";
import { ServiceError } from "./errors.ts";
import type { PaymentEvent, PaymentGateway } from "./payment.ts";
import { settleRefunds } from "./refunds.ts";
import { schemas } from "./schemas.ts";
import type { BookingStore } from "./store.ts";
import type { Tokens } from "./tokens.ts";

type ById = { Params: { id: string } };

/** How money comes in, by the customer's return or by the gateway's event, and goes back. */
export function addPaymentRoutes(
  server: FastifyInstance,
  store: BookingStore,
  gateway: PaymentGateway,
  tokens: Tokens,
): void {
  server.post<ById>("/api/bookings/:id/checkout", { schema: schemas.checkout }, async (request) => {
    const actor = await requireActor(request, tokens);
    const { booking } = await store.findBooking(request.params.id);
    requireOwner(actor, booking);
    if (booking.status !== "pending") {
      throw new ServiceError(
        "BOOKING_NOT_ACTIVE",
        "Booking is not pending",
        "Only a pending booking can be paid.",
      );
    }
    return { code: "CHECKOUT", payment: await gateway.open(booking.id) };
  });

  server.post<ById & { Body: { paymentIntentId: string } }>(
    "/api/bookings/:id/confirm",
    { schema: schemas.confirm },
    async (request) => {
      const { id } = request.params;
      const actor = await requireActor(request, tokens);
      requireOwner(actor, (await store.findBooking(id)).booking);
      const intent = await gateway.find(request.body.paymentIntentId);
      if (intent?.bookingId !== id) {
        const hint = "Pay for this booking, then try again.";
        throw new ServiceError("PAYMENT_NOT_FOUND", "Payment not found", hint);
      }
      if (intent.status !== "captured") {
        const declined = intent.status === "declined";
        throw new ServiceError(
          "PAYMENT_REQUIRED",
          declined ? "The payment was declined" : "The booking is not paid yet",
          declined ? "Try another card." : "Pay for the booking, then try again.",
        );
      }
      const { paymentStatus, booking } = await store.recordPayment(id, intent.id, true);
      if (paymentStatus === "captured") return { code: "CONFIRMED", booking };
      throw new ServiceError(
        "PAYMENT_REFUNDED",
        "The payment came too late and is given back",
        "Select a different time.",
      );
    },
  );

  server.post<{ Body: PaymentEvent }>(
    "/api/payments/webhook",
    { schema: schemas.webhook },
    async (request) => {
      requireSystem(await requireActor(request, tokens));
      const { type, intent, bookingId } = request.body;
      await store.recordPayment(bookingId, intent, type === "payment.captured");
      return { code: "RECORDED" };
    },
  );

  server.post("/api/payments/refunds", { schema: schemas.refunds }, async (request) => {
    requireSystem(await requireActor(request, tokens));
    return { code: "SETTLED", ...(await settleRefunds(store, gateway)) };
  });
}
