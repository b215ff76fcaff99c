import type { FastifyInstance } from "fastify";
import { actorText } from "./actor.ts";
import { withCreator, requireActor, requireOwner } from "./authentication.ts";
import type { BookingRequest, Id } from "./booking.ts";
import { schemas } from "./schemas.ts";
import type { BookingStore } from "./store.ts";
import type { Tokens } from "./tokens.ts";

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
