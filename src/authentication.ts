import type { FastifyRequest } from "fastify";
import { jwtVerify, SignJWT } from "jose";
import type { Booking, BookingRequest } from "./booking.ts";
import { ServiceError } from "./errors.ts";

/** Who sends a request: a customer, a vendor (by the provider's id), or a machine such as the gateway. */
export interface Actor {
  readonly role: "customer" | "vendor" | "system";
  readonly id: string;
}

/** As the database's functions take it: `customer:7`. */
export function actorText({ role, id }: Actor): string {
  return `${role}:${id}`;
}

/** Of a text such as `customer:7`; undefined if it is none. */
export function parseActor(text: string): Actor | undefined {
  const [, role, id] = /^(customer|vendor|system):(.{1,200})$/su.exec(text) ?? [];
  if (role === undefined || id === undefined) return undefined;
  return { role: role as Actor["role"], id };
}

/** What signs and reads tokens: JSON Web Tokens with HMAC-SHA-256. */
export interface Tokens {
  /** A token by which its bearer is `actor`, for `days`. */
  issue(actor: Actor, days?: number): Promise<string>;
  /** Who the bearer is; undefined for a token that is forged, damaged or too old. */
  read(token: string): Promise<Actor | undefined>;
}

const ALGORITHM = "HS256";
const ISSUER = "booking";
/** RFC 7518 asks for a key at least as long as the hash. */
const LEAST_BYTES = 32;

/** @throws Error when the key is too short to be one. */
export function tokensWith(key: string): Tokens {
  const secret = new TextEncoder().encode(key);
  if (secret.length < LEAST_BYTES) {
    throw new Error(`Set TOKEN_KEY to at least ${LEAST_BYTES} random characters.`);
  }
  return {
    issue: (actor, days = 30) =>
      new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM })
        .setSubject(actorText(actor))
        .setIssuer(ISSUER)
        .setExpirationTime(`${days} days`)
        .sign(secret),

    async read(token) {
      try {
        const options = { algorithms: [ALGORITHM], issuer: ISSUER, requiredClaims: ["exp"] };
        const { payload } = await jwtVerify(token, secret, options);
        return parseActor(payload.sub ?? "");
      } catch {
        return undefined;
      }
    },
  };
}

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
