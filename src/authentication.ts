import type { FastifyRequest } from "fastify";
import { type Actor, actorText } from "./actor.ts";
import type { Booking, BookingRequest } from "./booking.ts";
import { ServiceError } from "./errors.ts";
import type { Tokens } from "./tokens.ts";

/** The cookie by which the page's visitor is known. */
export const COOKIE = "booking_customer";

/**
 * Who sends a request, by its bearer token or, from the page, its cookie. The cookie is SameSite and
 * bodies are JSON only, so that no other site can make a visitor's browser change anything.
 */
export async function actorOf(
  { headers }: Pick<FastifyRequest, "headers">,
  tokens: Tokens,
): Promise<Actor | undefined> {
  const token =
    /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ??
    new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(headers.cookie ?? "")?.[1];
  return token === undefined ? undefined : tokens.read(token);
}

/** Likewise, for what nobody may do without saying who he is. */
export async function requireActor(request: FastifyRequest, tokens: Tokens): Promise<Actor> {
  const actor = await actorOf(request, tokens);
  if (actor !== undefined) return actor;
  throw new ServiceError(
    "UNAUTHENTICATED",
    "Nobody is known by this request's token",
    "Send a token of yours that is not too old: Authorization: Bearer …",
  );
}

function forbidden(): ServiceError {
  return new ServiceError(
    "FORBIDDEN",
    "That is not yours to change",
    "Customers have their own bookings, vendors their own calendars.",
  );
}

/**
 * The request with its `createdBy`; a customer books for himself, a vendor on his own calendar.
 * @throws ServiceError FORBIDDEN for anything else.
 */
export function withCreator(actor: Actor, request: BookingRequest): BookingRequest {
  const { role, id } = actor;
  const own = role === "vendor" ? String(request.providerId) : request.customerId;
  if (role === "system" || own !== id || (request.createdBy ?? role) !== role) throw forbidden();
  return { ...request, createdBy: role };
}

/**
 * A booking's customer and provider never change, so that this holds for good once it does.
 * @throws ServiceError FORBIDDEN unless it is the actor's booking.
 */
export function requireOwner(actor: Actor, booking: Booking): void {
  const owners = [`customer:${booking.customerId}`, `vendor:${booking.providerId}`];
  if (!owners.includes(actorText(actor))) throw forbidden();
}

/** @throws ServiceError FORBIDDEN for customers and vendors. */
export function requireSystem({ role }: Actor): void {
  if (role !== "system") throw forbidden();
}
