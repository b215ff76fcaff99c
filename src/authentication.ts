import type { FastifyRequest } from "fastify";
import { jwtVerify, SignJWT } from "jose";
import type { Booking, BookingRequest } from "./booking.ts";
import { ServiceError } from "./errors.ts";

/** The sender of a request: a customer, a vendor (by the provider's id), or a system such as the gateway. */
export interface Actor {
  readonly role: "customer" | "vendor" | "system";
  readonly id: string;
}

/** An actor as text, such as `customer:7`. */
export function actorText({ role, id }: Actor): string {
  return `${role}:${id}`;
}

/** Parses a text such as `customer:7`; undefined if it is not valid. */
export function parseActor(text: string): Actor | undefined {
  const [, role, id] = /^(customer|vendor|system):(.{1,200})$/su.exec(text) ?? [];
  if (role === undefined || id === undefined) return undefined;
  return { role: role as Actor["role"], id };
}

/** Signs and verifies tokens: JSON Web Tokens with HMAC-SHA-256. */
export interface Tokens {
  /** Issues a token of `actor`, valid for `days` (default: 30). */
  issue(actor: Actor, days?: number): Promise<string>;
  /** The actor of a token; undefined if the token is forged, damaged, expired or for another service. */
  read(token: string): Promise<Actor | undefined>;
}

const ALGORITHM = "HS256";
const ISSUER = "booking";
/** The service for which tokens are issued. */
const AUDIENCE = "booking";
/** RFC 7518 asks for a key at least as long as the hash. */
const MIN_KEY_BYTES = 32;

/** @throws Error if the key is shorter than 32 bytes. */
export function tokensWith(key: string): Tokens {
  const secret = new TextEncoder().encode(key);
  if (secret.length < MIN_KEY_BYTES) {
    throw new Error(`Set TOKEN_KEY to at least ${MIN_KEY_BYTES} random characters.`);
  }
  return {
    issue: (actor, days = 30) =>
      new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM })
        .setSubject(actorText(actor))
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setExpirationTime(`${days} days`)
        .sign(secret),

    async read(token) {
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: AUDIENCE,
          requiredClaims: ["exp"],
        });
        return parseActor(payload.sub ?? "");
      } catch {
        return undefined;
      }
    },
  };
}

/** The cookie with the token of a page's visitor. */
export const COOKIE = "booking_customer";

/**
 * The sender of a request, by its bearer token or, from the pages, its cookie. The cookie is SameSite
 * and bodies are JSON only, so that no other site can make a visitor's browser change anything.
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

/**
 * The sender of a request that needs one.
 * @throws ServiceError UNAUTHENTICATED without a valid token.
 */
export async function requireActor(request: FastifyRequest, tokens: Tokens): Promise<Actor> {
  const actor = await actorOf(request, tokens);
  if (actor !== undefined) return actor;
  throw new ServiceError(
    "UNAUTHENTICATED",
    "The request has no valid token",
    "Send a token that has not expired: Authorization: Bearer …",
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
 * Adds `createdBy` to a request. Customers book for themselves, vendors in their own calendar.
 * @throws ServiceError FORBIDDEN for any other request.
 */
export function withCreator(actor: Actor, request: BookingRequest): BookingRequest {
  const { role, id } = actor;
  const own = role === "vendor" ? String(request.providerId) : request.customerId;
  if (role === "system" || own !== id || (request.createdBy ?? role) !== role) throw forbidden();
  return { ...request, createdBy: role };
}

/**
 * A booking's customer and provider never change, so the result stays valid.
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
