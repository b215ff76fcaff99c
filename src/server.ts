import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyServerOptions } from "fastify";
import Fastify from "fastify";
import type { Tokens } from "./authentication.ts";
import { errorFromPostgres, ServiceError } from "./errors.ts";
import { noGateway, type PaymentGateway } from "./gateway.ts";
import { errorPage } from "./pages.ts";
import { addBookingRoutes, addPageRoutes, addPaymentRoutes } from "./routes.ts";
import { ajvOptions, formats } from "./schemas.ts";
import type { BookingStore } from "./store.ts";

export interface HttpServerOptions {
  readonly store: BookingStore;
  readonly tokens: Tokens;
  /** Where customers pay; nobody can unless given. */
  readonly gateway?: PaymentGateway;
  /** How many requests an address may send in a minute; any number unless given. */
  readonly requestsPerMinute?: number;
  /** Where failures (5xx) are logged; nowhere unless given. */
  readonly logger?: FastifyServerOptions["logger"];
}

/** The HTTP service. It does not listen yet, and closing it does not close the store's pool. */
export function buildServer({
  store,
  tokens,
  gateway = noGateway,
  requestsPerMinute,
  logger = false,
}: HttpServerOptions): FastifyInstance {
  const server = Fastify({
    logger,
    bodyLimit: 16_384,
    // Refuse what does not fit, rather than mend it.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, formats, ...ajvOptions } },
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

  // Whoever serves it by HTTPS says so; a phone in the same network has to get it without.
  const directives = { upgradeInsecureRequests: null };
  void server.register(helmet, { contentSecurityPolicy: { directives } });
  if (requestsPerMinute !== undefined) {
    void server.register(rateLimit, { max: requestsPerMinute, timeWindow: "1 minute" });
  }
  // Within a plugin, so that it is for these routes too what was registered before.
  void server.register(async (routes) => {
    addBookingRoutes(routes, store, tokens);
    addPaymentRoutes(routes, store, gateway, tokens);
    addPageRoutes(routes, store, tokens);
  });

  return server;
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const refusal =
    error instanceof ServiceError ? error : (errorFromFastify(error) ?? errorFromPostgres(error));
  if (refusal.status >= 500) reply.log.error(refusal.cause ?? refusal);
  const { code, message, hint } = refusal;
  reply.code(refusal.status);
  // A browser that goes somewhere asks for HTML first; nothing else does.
  if (reply.request.headers.accept?.startsWith("text/html")) {
    return reply.type("text/html; charset=utf-8").send(errorPage(refusal));
  }
  return reply.send({ code, message, hint });
}

/** A request that never reached its route: not JSON, too large, too many, not what the schema says. */
function errorFromFastify(error: unknown): ServiceError | undefined {
  if (!(error instanceof Error && "statusCode" in error)) return undefined;
  const status = error.statusCode;
  if (typeof status !== "number" || status < 400 || status > 499) return undefined;
  if (status === 429) {
    return new ServiceError("TOO_MANY_REQUESTS", error.message, "Wait a minute.", { cause: error });
  }
  const hint = "Correct the request.";
  return new ServiceError("VALIDATION_ERROR", error.message, hint, { cause: error, status });
}
