import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  actorOf,
  actorText,
  COOKIE,
  requireActor,
  requireOwner,
  requireSystem,
  type Tokens,
  withCreator,
} from "./authentication.ts";
import type { BookingRequest, Id } from "./booking.ts";
import { ServiceError } from "./errors.ts";
import type { PaymentEvent, PaymentGateway } from "./gateway.ts";
import { bookingPage, bookPage } from "./pages.ts";
import { schemas } from "./schemas.ts";
import type { BookingStore } from "./store.ts";
import { settleRefunds } from "./sweep.ts";

type ById = { Params: { id: string } };

export function addBookingRoutes(
  server: FastifyInstance,
  store: BookingStore,
  tokens: Tokens,
): void {
  server.post<{ Body: BookingRequest }>(
    "/api/bookings/create",
    { schema: schemas.create },
    async (request, reply) => {
      const asked = withCreator(await requireActor(request, tokens), request.body);
      const { booking, created } = await store.createBooking(asked);
      return reply.code(created ? 201 : 200).send({ code: "CREATED", booking });
    },
  );

  server.get<ById>("/api/bookings/:id", { schema: schemas.booking }, async (request) => {
    const actor = await requireActor(request, tokens);
    const { booking } = await store.findBooking(request.params.id);
    requireOwner(actor, booking);
    return { code: "BOOKING", booking };
  });

  server.post<ById>("/api/bookings/:id/cancel", { schema: schemas.cancel }, async (request) => {
    const actor = actorText(await requireActor(request, tokens));
    return { code: "CANCELLED", booking: await store.cancelBooking(request.params.id, actor) };
  });

  server.post<ById & { Body: { slotId: Id } }>(
    "/api/bookings/:id/reschedule",
    { schema: schemas.reschedule },
    async (request) => {
      const actor = actorText(await requireActor(request, tokens));
      const { params, body } = request;
      const booking = await store.rescheduleBooking(params.id, body.slotId, actor);
      return { code: "RESCHEDULED", booking };
    },
  );

  server.get<ById>("/api/vendors/:id/slots", { schema: schemas.slots }, async ({ params }) => ({
    code: "SLOTS",
    slots: await store.freeSlots(params.id),
  }));

  server.get("/health", async () => {
    await store.ping();
    return { code: "OK" };
  });
}

/** Payments, which the customer's return or the gateway's event reports, and refunds. */
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
        "The payment came too late and is refunded",
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

const ASSETS = {
  "page.js": "text/javascript; charset=utf-8",
  "book.js": "text/javascript; charset=utf-8",
  "booking.js": "text/javascript; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
} as const;

const MONTH_S = 30 * 24 * 60 * 60;

/** The pages on which visitors book a time, and see, pay, move and cancel their booking. */
export function addPageRoutes(server: FastifyInstance, store: BookingStore, tokens: Tokens): void {
  server.get<ById>("/book/:id", { schema: schemas.slots }, async (request, reply) => {
    const vendor = await store.findProvider(request.params.id);
    const customer = await visitor(request, reply, tokens);
    const slots = await store.freeSlots(vendor.id);
    return show(reply, bookPage(vendor, slots, customer));
  });

  server.get<ById>("/bookings/:id", { schema: schemas.booking }, async (request, reply) => {
    const actor = await requireActor(request, tokens);
    const found = await store.findBooking(request.params.id);
    requireOwner(actor, found.booking);
    const vendor = await store.findProvider(found.booking.providerId);
    return show(reply, bookingPage(found, vendor, await store.freeSlots(vendor.id)));
  });

  for (const [name, type] of Object.entries(ASSETS)) {
    const file = readFileSync(new URL(`./browser/${name}`, import.meta.url), "utf8");
    server.get(`/assets/${name}`, async (_request, reply) => reply.type(type).send(file));
  }
}

/** The customer of the visitor's cookie. The first visit creates one. */
async function visitor(
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: Tokens,
): Promise<string> {
  const known = await actorOf(request, tokens);
  if (known?.role === "customer") return known.id;
  const id = randomUUID();
  const token = await tokens.issue({ role: "customer", id });
  const secure = request.protocol === "https" ? "; Secure" : "";
  const rules = `Path=/; Max-Age=${MONTH_S}; HttpOnly; SameSite=Lax${secure}`;
  reply.header("set-cookie", `${COOKIE}=${token}; ${rules}`);
  return id;
}

/** Sends a page that browsers must not cache, since free slots change. */
function show(reply: FastifyReply, page: string): FastifyReply {
  return reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(page);
}
