import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
} from "fastify";
import type { BookingRequest, Id } from "./booking.ts";
import { errorFromPostgres, ServiceError } from "./errors.ts";
import { noGateway } from "./gateway.ts";
import type { PaymentGateway } from "./payment.ts";
import { addPaymentRoutes } from "./payment-routes.ts";
import { formats, schemas } from "./schemas.ts";
import type { BookingStore } from "./store.ts";

type ById = { Params: { id: string } };

export interface ServerOptions {
  readonly store: BookingStore;
  /** Where customers pay; nobody can unless given. */
  readonly gateway?: PaymentGateway;
  /** Where failures (5xx) are logged; nowhere unless given. */
  readonly logger?: FastifyServerOptions["logger"];
}

/** The HTTP service. It does not listen yet, and closing it does not close the store's pool. */
export function buildServer({
  store,
  gateway = noGateway,
  logger = false,
}: ServerOptions): FastifyInstance {
  const server = Fastify({
    logger,
    bodyLimit: 16_384,
    // Refuse what does not fit, rather than mend it.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, formats } },
    frameworkErrors: (error, _request, reply) => void refuse(reply, error),
  });

  server.removeContentTypeParser("text/plain");

  // Otherwise a client that keeps its connection alive would hold up the end of the server.
  let closing = false;
  server.addHook("preClose", async () => {
    closing = true;
  });
  server.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });

  server.post<{ Body: BookingRequest }>(
    "/api/bookings/create",
    { schema: schemas.create },
    async ({ body }, reply) => {
      const { booking, created } = await store.createBooking(body);
      return reply.code(created ? 201 : 200).send({ code: "CREATED", booking });
    },
  );

  addPaymentRoutes(server, store, gateway);

  server.get<ById>("/api/bookings/:id", { schema: schemas.booking }, async ({ params }) => ({
    code: "BOOKING",
    booking: await store.findBooking(params.id),
  }));

  server.post<ById>("/api/bookings/:id/cancel", { schema: schemas.cancel }, async ({ params }) => ({
    code: "CANCELLED",
    booking: await store.cancelBooking(params.id),
  }));

  server.post<ById & { Body: { slotId: Id } }>(
    "/api/bookings/:id/reschedule",
    { schema: schemas.reschedule },
    async ({ params, body }) => ({
      code: "RESCHEDULED",
      booking: await store.rescheduleBooking(params.id, body.slotId),
    }),
  );

  server.get<ById>("/api/vendors/:id/slots", { schema: schemas.slots }, async ({ params }) => ({
    code: "SLOTS",
    slots: await store.freeSlots(params.id),
  }));

  server.get("/health", async () => {
    await store.ping();
    return { code: "OK" };
  });

  server.setErrorHandler((error, _request, reply) => refuse(reply, error));
  server.setNotFoundHandler((request, reply) =>
    refuse(
      reply,
      new ServiceError(
        "NOT_FOUND",
        `There is no ${request.method} ${request.url}`,
        "Check the method and the path.",
      ),
    ),
  );

  return server;
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const refusal =
    error instanceof ServiceError ? error : (errorFromFastify(error) ?? errorFromPostgres(error));
  if (refusal.status >= 500) reply.log.error(refusal.cause ?? refusal);
  const { code, message, hint } = refusal;
  return reply.code(refusal.status).send({ code, message, hint });
}

/** A request that never reached its route: not JSON, too large, not what the schema says. */
function errorFromFastify(error: unknown): ServiceError | undefined {
  if (!(error instanceof Error && "statusCode" in error)) return undefined;
  const status = error.statusCode;
  if (typeof status !== "number" || status < 400 || status > 499) return undefined;
  const hint = "Correct the request.";
  return new ServiceError("VALIDATION_ERROR", error.message, hint, { cause: error, status });
}
