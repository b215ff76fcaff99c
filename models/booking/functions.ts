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
  /** What a success is called, as the HTTP routes call it. */
  readonly code: string;
  readonly body: (row: unknown) => Json;
}

/** Runs one statement, on whatever connection; rejects with `pg`'s errors. */
export type FunctionQuery = (
  sql: string,
  values: FunctionCall["values"],
) => Promise<readonly object[]>;

/** How far the clock is ahead when time has elapsed, in ms: 50 years. */
const ELAPSED_MS = 50 * 365 * 24 * 3_600_000;

/** How often a call is tried in all. */
const ATTEMPTS = 5;

/**
 * Calls the database function that a request is for, as a client that has no service in between. A
 * serialization failure is tried again, as every client must where the isolation level is higher
 * than READ COMMITTED; a deadlock is not, since the functions must not have any.
 * `codeOf` names a refusal, as the service would; undefined when the schema has no such refusal.
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

/** Connection exceptions, cancelled statements, and sessions ended by an operator or a crash. */
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
