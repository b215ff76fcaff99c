import { DatabaseError } from "pg";

/** The codes of refusals, with their HTTP status. */
const STATUS = {
  VALIDATION_ERROR: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  VENDOR_NOT_FOUND: 404,
  SLOT_NOT_FOUND: 404,
  BOOKING_NOT_FOUND: 404,
  PAYMENT_NOT_FOUND: 404,
  PAYMENT_REQUIRED: 402,
  BOOKING_CONFLICT: 409,
  BOOKING_NOT_ACTIVE: 409,
  SLOT_HAS_BOOKING: 409,
  PAYMENT_REFUNDED: 409,
  SLOT_PROVIDER_MISMATCH: 422,
  SLOT_IN_PAST: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  PAYMENT_MISMATCH: 422,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_ERROR: 500,
  DATABASE_BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
  GATEWAY_UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof STATUS;

/** A refusal as clients see it: what happened, and what to do about it. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  /** The HTTP status. */
  readonly status: number;

  constructor(
    code: ErrorCode,
    message: string,
    hint: string,
    options: { cause?: unknown; status?: number } = {},
  ) {
    super(message, options);
    this.name = "ServiceError";
    this.code = code;
    this.hint = hint;
    this.status = options.status ?? STATUS[code];
  }
}

/** The refusals that the schema's functions raise, by SQLSTATE. */
const REFUSALS: { readonly [sqlstate: string]: ErrorCode } = {
  BK001: "SLOT_NOT_FOUND",
  BK002: "SLOT_PROVIDER_MISMATCH",
  BK003: "SLOT_IN_PAST",
  BK004: "BOOKING_CONFLICT",
  BK005: "BOOKING_NOT_FOUND",
  BK006: "BOOKING_NOT_ACTIVE",
  BK007: "SLOT_HAS_BOOKING",
  BK008: "IDEMPOTENCY_KEY_REUSED",
  BK009: "PAYMENT_MISMATCH",
  BK010: "FORBIDDEN",
};

/** Postgres has rolled a transaction back because of a concurrent one. */
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";

/** A lock was not granted within the lock timeout. */
const LOCK_NOT_AVAILABLE = "55P03";

export function isTransient(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    (error.code === SERIALIZATION_FAILURE || error.code === DEADLOCK_DETECTED)
  );
}

/**
 * Converts the error of a query to a refusal. Only the schema's own refusals keep their message: the
 * messages of Postgres describe the schema and are no text for clients.
 */
export function errorFromPostgres(error: unknown): ServiceError {
  const cause = { cause: error };
  if (!(error instanceof DatabaseError)) {
    return isConnectionError(error) ? unavailable(error) : internal(error);
  }
  const sqlstate = error.code ?? "";
  const refusal = REFUSALS[sqlstate];
  if (refusal) {
    return new ServiceError(refusal, error.message, error.hint ?? "", cause);
  }
  if (isOverlap(error)) {
    const hint = "Select a different time.";
    return new ServiceError("BOOKING_CONFLICT", "Slot is not available", hint, cause);
  }
  if (isTransient(error)) {
    const message = "Too many changes at the same moment";
    return new ServiceError("BOOKING_CONFLICT", message, "Try again.", cause);
  }
  if (sqlstate === LOCK_NOT_AVAILABLE) {
    const message = "Another request is changing the same booking or slot";
    return new ServiceError("DATABASE_BUSY", message, RETRY, cause);
  }
  // Data exceptions: a value that its type cannot hold, such as the year 0.
  if (sqlstate.startsWith("22")) {
    const message = "The request has a value that cannot be stored";
    return new ServiceError("VALIDATION_ERROR", message, "Correct the request.", cause);
  }
  return isOutage(error) ? unavailable(error) : internal(error);
}

/** Connection lost, out of resources, cancelled by a timeout or an administrator. */
export function isOutage({ code }: DatabaseError): boolean {
  return /^(08|53|57)/.test(code ?? "");
}

function isOverlap({ code, constraint }: DatabaseError): boolean {
  return (
    (code === "23P01" && constraint === "bookings_no_overlap_provider_time") ||
    (code === "23505" && constraint === "idx_bookings_provider_time_unique")
  );
}

const CONNECTION_LOST =
  /^Connection terminated|^timeout (expired|exceeded)|^Query read timeout|not queryable$|after calling end on the pool$/;

/**
 * Errors of sockets have a code such as ECONNREFUSED, unlike those of wrong calls, such as
 * ERR_INVALID_ARG_TYPE. Errors of `pg` itself have only a message.
 */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isConnectionError);
  if ("code" in error && typeof error.code === "string") return /^E(?!RR_)/.test(error.code);
  return CONNECTION_LOST.test(error.message);
}

const RETRY =
  "Try again in a moment. If this was a create, repeat it with the same idempotency key.";

function unavailable(cause: unknown): ServiceError {
  return new ServiceError("DATABASE_UNAVAILABLE", "The database cannot be reached", RETRY, {
    cause,
  });
}

function internal(cause: unknown): ServiceError {
  return new ServiceError(
    "INTERNAL_ERROR",
    "Something went wrong on our side",
    "Try again. If it happens again, report the time of the error.",
    { cause },
  );
}
