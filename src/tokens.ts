import { jwtVerify, SignJWT } from "jose";
import { type Actor, actorText, parseActor } from "./actor.ts";

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
