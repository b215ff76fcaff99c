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
  /** The payment gateway. Without it, nothing can be paid. */
  readonly gateway?: PaymentGateway;
  /** The number of requests per minute that an address may send. Default: any number. */
  readonly requestsPerMinute?: number;
  /** How long a client may take to send a request, in ms. Default: 0, any time. */
  readonly requestTimeoutMs?: number;
  /** The log of failures (5xx). Default: none. */
  readonly logger?: FastifyServerOptions["logger"];
}

/** Builds the HTTP server. It does not listen yet; closing it does not close the store's pool. */
export function buildServer({
  store,
  tokens,
  gateway = noGateway,
  requestsPerMinute,
  requestTimeoutMs = 0,
  logger = false,
}: HttpServerOptions): FastifyInstance {
  const server = Fastify({
    logger,
    bodyLimit: 16_384,
    requestTimeout: requestTimeoutMs,
    ...(requestTimeoutMs > 0 && { http: receiveTimeouts(requestTimeoutMs) }),
    // Refuse bodies that do not fit, rather than coerce them.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, formats, ...ajvOptions } },
    frameworkErrors: (error, _request, reply) => void refuse(reply, error),
  });

  server.removeContentTypeParser("text/plain");

  // Otherwise clients that keep their connections alive would delay the end of the server.
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

  // The pages have to work over plain HTTP too, for a phone in the same network.
  const directives = { upgradeInsecureRequests: null };
  void server.register(helmet, { contentSecurityPolicy: { directives } });
  if (requestsPerMinute !== undefined) {
    void server.register(rateLimit, { max: requestsPerMinute, timeWindow: "1 minute" });
  }
  // In a plugin, so that the plugins registered before apply to these routes.
  void server.register(async (routes) => {
    addBookingRoutes(routes, store, tokens);
    addPaymentRoutes(routes, store, gateway, tokens);
    addPageRoutes(routes, store, tokens);
  });

  return server;
}

/** Ends the server. Requests have `drainMs` to finish, then their connections are closed. */
export async function closeServer(server: FastifyInstance, drainMs: number): Promise<void> {
  const disconnect = setTimeout(() => server.server.closeAllConnections(), drainMs);
  await server.close();
  clearTimeout(disconnect);
}

/** Node checks the time of the headers apart from that of the whole request, every interval. */
function receiveTimeouts(requestTimeoutMs: number) {
  return {
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1_000),
  };
}

/** Answers with a refusal. Unexpected errors are logged, and their messages never reach the client. */
function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const refusal =
    error instanceof ServiceError ? error : (errorFromFastify(error) ?? errorFromPostgres(error));
  if (refusal.status >= 500) reply.log.error(refusal.cause ?? refusal);
  const { code, message, hint } = refusal;
  reply.code(refusal.status);
  // Only a browser that navigates prefers HTML.
  if (reply.request.headers.accept?.startsWith("text/html")) {
    return reply.type("text/html; charset=utf-8").send(errorPage(refusal));
  }
  return reply.send({ code, message, hint });
}

/** The refusal for a request that never reached its route: no JSON, too large, too many, not valid. */
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
