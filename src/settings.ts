/** The settings of the service. */
export interface ServiceSettings {
  readonly databaseUrl: string;
  /** The port to listen on. 0 is any free one. */
  readonly port: number;
  readonly host: string;
  /** The payment gateway's URL. Without it, nothing can be paid. */
  readonly gatewayUrl: string | undefined;
  /** The number of requests per minute that an address may send. */
  readonly requestsPerMinute: number;
  /** How long a statement may wait for a lock, in ms. 0 is any time; below too. */
  readonly lockTimeoutMs: number;
  /** How long a statement may run, in ms. */
  readonly statementTimeoutMs: number;
  /** How long a client may take to send a request, in ms. */
  readonly requestTimeoutMs: number;
  /** How long the service may take to end after SIGTERM or SIGINT, in ms. At least 1. */
  readonly gracePeriodMs: number;
}

type Environment = { readonly [name: string]: string | undefined };

const MAX_PORT = 65_535;
const HOUR_MS = 3_600_000;

/**
 * Reads and checks the settings of the environment.
 * @throws Error, in one sentence, if a setting is missing or not valid.
 */
export function settingsFrom(env: Environment): ServiceSettings {
  return {
    databaseUrl: databaseUrlFrom(env),
    port: integer(env, "PORT", 3_000, 0, MAX_PORT),
    host: env["HOST"] || "127.0.0.1",
    gatewayUrl: gatewayUrlFrom(env),
    requestsPerMinute: integer(env, "REQUESTS_PER_MINUTE", 300, 1, 1_000_000_000),
    lockTimeoutMs: integer(env, "LOCK_TIMEOUT_MS", 2_000, 0, HOUR_MS),
    statementTimeoutMs: integer(env, "STATEMENT_TIMEOUT_MS", 5_000, 0, HOUR_MS),
    requestTimeoutMs: integer(env, "REQUEST_TIMEOUT_MS", 10_000, 0, HOUR_MS),
    gracePeriodMs: integer(env, "GRACE_PERIOD_MS", 10_000, 1, HOUR_MS),
  };
}

/**
 * Reads `DATABASE_URL`.
 * @throws Error if it is missing or no URL of a Postgres database. The message does not repeat the URL,
 *   which may contain a password.
 */
export function databaseUrlFrom(env: Environment): string {
  const url = env["DATABASE_URL"];
  const example = "such as postgres://user@localhost/bookings.";
  if (!url) throw new Error(`Set DATABASE_URL, ${example}`);
  if (/^postgres(ql)?:\/\//.test(url)) return url;
  throw new Error(`DATABASE_URL is no URL of a Postgres database: set it to one ${example}`);
}

function gatewayUrlFrom(env: Environment): string | undefined {
  const url = env["GATEWAY_URL"];
  if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url))) return url;
  throw new Error("GATEWAY_URL is no URL: set it to one such as https://gateway.example.");
}

function integer(env: Environment, name: string, fallback: number, min: number, max: number) {
  const text = env[name];
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`${name} is "${text}": set it to a whole number from ${min} to ${max}.`);
}
