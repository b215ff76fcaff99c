import { DatabaseError } from "pg";
import { type Json, type Response, TestClock } from "../../harness/index.ts";
import type { ResolvedOperation } from "./operations.ts";
import { bookingBody, connectionLost, refused, slotBody } from "./responses.ts";
import { intentOf } from "./state.ts";

export type FunctionOperation = Exclude<
  ResolvedOperation,
  { readonly name: "list" | "confirm" | "refund" }
>;

interface FunctionCall {
  readonly sql: string;
  readonly values: readonly (string | number | boolean | null)[];
  /** The code of a success, as in the HTTP answer. */
  readonly code: string;
  readonly body: (row: unknown) => Json;
}

/** Runs one statement. Rejects with `pg`'s errors. */
export type FunctionQuery = (
  sql: string,
  values: FunctionCall["values"],
) => Promise<readonly object[]>;

/** How far `elapse` moves the clock: 50 years, in ms. */
const ELAPSED_MS = 50 * 365 * 24 * 3_600_000;

/** The maximum number of attempts of a call. */
const ATTEMPTS = 5;

/**
 * Performs an operation by calling its database function directly. Serialization failures are retried,
 * as every client has to do above READ COMMITTED. Deadlocks are not: the functions must not cause any.
 * `codeOf` returns the service's code for a refusal, or undefined for any other error.
 */
export async function performByFunction(
  query: FunctionQuery,
  request: FunctionOperation,
  codeOf: (error: DatabaseError) => string | undefined,
): Promise<Response> {
  const { sql, values, code, body } = functionCall(request);
  for (let attempt = 1; ; attempt++) {
    try {
      const [row] = await query(sql, values);
      return { outcome: "ok", code, body: body(row) };
    } catch (error) {
      if (!(error instanceof DatabaseError) || isLostConnection(error)) return connectionLost;
      if (attempt < ATTEMPTS && isSerializationFailure(error)) continue;
      return refused(codeOf(error) ?? `SQLSTATE_${error.code}`);
    }
  }
}

function isSerializationFailure({ code }: DatabaseError): boolean {
  return code === "40001";
}

/** Connection exceptions, cancelled statements, and sessions ended by an administrator or a crash. */
function isLostConnection({ code }: DatabaseError): boolean {
  return /^(08|57)/.test(code ?? "");
}

function functionCall(request: FunctionOperation): FunctionCall {
  switch (request.name) {
    case "create":
      return {
        sql: "select * from claim_slot_and_create_booking($1, $2, $3, $4, $5, $6, $7, $8)",
        values: [
          request.slot.id,
          request.provider ?? request.slot.provider,
          request.customer,
          request.customerName,
          request.notes,
          request.idempotencyKey ?? null,
          request.paymentIntentId ?? null,
          request.createdBy,
        ],
        code: "CREATED",
        body: bookingBody,
      };
    case "cancel":
      return {
        sql: "select * from cancel_booking($1, $2)",
        values: [request.booking, request.by],
        code: "CANCELLED",
        body: bookingBody,
      };
    case "webhook":
      return {
        sql: "select from record_payment($1, $2, $3)",
        values: [request.booking, intentOf(request.booking, request.attempt), request.captured],
        code: "RECORDED",
        body: () => null,
      };
    case "reschedule":
      return {
        sql: "select * from reschedule_booking($1, $2, $3)",
        values: [request.booking, request.slot.id, request.by],
        code: "RESCHEDULED",
        body: bookingBody,
      };
    case "expire":
      return {
        sql: "select expire_holds($1) as expired",
        values: [request.at],
        code: "EXPIRED",
        body: (row) => ({ expired: (row as { expired: number }).expired }),
      };
    case "publish":
      return {
        sql: "select * from publish_slot($1, $2, $3)",
        values: [request.provider, request.startAt, request.endAt],
        code: "PUBLISHED",
        body: slotBody,
      };
    case "withdraw":
      return {
        sql: "select * from withdraw_slot($1)",
        values: [request.slot.id],
        code: "WITHDRAWN",
        body: slotBody,
      };
    case "elapse":
      return {
        sql: TestClock.SHIFT,
        values: [ELAPSED_MS],
        code: "ELAPSED",
        body: () => null,
      };
  }
}
