import {
  type Call,
  isUnknown,
  type Json,
  type JsonObject,
  type Model,
} from "../../harness/index.ts";
import type { CorrectAnswer } from "./model-answer.ts";
import { type Calendar, calendarOf, keyOf } from "./model-calendar.ts";
import { unexpectedContents } from "./model-contents.ts";
import { splitByCalendar } from "./model-history.ts";
import { afterInterruptedRefund } from "./model-payments.ts";
import { answer } from "./model-rules.ts";
import type { BookingOperation } from "./operations.ts";
import type { BookingState } from "./state.ts";

/** The specification of the booking service (model-rules.ts), as what histories are checked by. */
export const model: Model<Calendar, BookingState, BookingOperation> = {
  init: calendarOf,

  step(calendar, call) {
    if (isUnknown(call)) return possibleEffects(calendar, call.operation);
    const right = answer(calendar, call.operation, idIn(call));
    return difference(calendar, right, call) === undefined ? [right.after] : [];
  },

  expected(calendar, call) {
    const right = answer(calendar, call.operation, idIn(call));
    return difference(calendar, right, call) ?? `${right.code} is right`;
  },

  key: keyOf,
  misfit: unexpectedContents,
  split: splitByCalendar,
};

/** The HTTP status of each refusal. Of successes it is 200, if the rules say nothing else. */
const STATUS: { readonly [code: string]: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SLOT_NOT_FOUND: 404,
  BOOKING_NOT_FOUND: 404,
  BOOKING_CONFLICT: 409,
  BOOKING_NOT_ACTIVE: 409,
  SLOT_HAS_BOOKING: 409,
  SLOT_PROVIDER_MISMATCH: 422,
  SLOT_IN_PAST: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  PAYMENT_REQUIRED: 402,
  PAYMENT_REFUNDED: 409,
};

/** The id that the service chose, if the answer names something that may be new. */
function idIn({ operation, response }: Call<BookingOperation>): number {
  const names = operation.name === "create" || operation.name === "publish";
  return names && response?.outcome === "ok" ? Number((response.body as JsonObject)["id"]) : 0;
}

/** What is wrong with an answer, in words; undefined if it is right. */
function difference(
  calendar: Calendar,
  right: CorrectAnswer,
  call: Call<BookingOperation>,
): string | undefined {
  const { operation, response } = call;
  if (response === undefined) return undefined;
  if (response.code !== right.code) return `${right.code} is right`;
  if (right.makes !== undefined && calendar[right.makes].has(idIn(call))) {
    return "the id is taken";
  }
  const status = right.status ?? STATUS[right.code] ?? 200;
  if (operation.via === "http" && response.status !== undefined && response.status !== status) {
    return `the status ${status} is right`;
  }
  if (equalJson(response.body, right.body)) return undefined;
  const [said, body] = [JSON.stringify(response.body), JSON.stringify(right.body)];
  return `${right.code} is right, with ${body}, not ${said}`;
}

function equalJson(a: Json, b: Json): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [a, b] as readonly { readonly [field: string]: Json | undefined }[];
  const fields = Object.keys(a);
  return (
    fields.length === Object.keys(b).length &&
    fields.every((field) => field in b && equalJson(left?.[field] ?? null, right?.[field] ?? null))
  );
}

/** What may follow if a operation has an effect that nobody was told of. */
function possibleEffects(calendar: Calendar, operation: BookingOperation): readonly Calendar[] {
  if (operation.name === "refund") return afterInterruptedRefund(calendar);
  const ids = idsAtTheEnd(calendar, operation);
  return (ids.length === 0 ? [0] : ids)
    .map((id) => answer(calendar, operation, id).after)
    .filter((after) => after !== calendar);
}

/** Which of the things that there are in the end, and not yet, the operation may have made. */
function idsAtTheEnd(
  { final, bookings, slots }: Calendar,
  operation: BookingOperation,
): readonly number[] {
  const ids = (rows: readonly JsonObject[] = []) => rows.map((row) => Number(row["id"]));
  if (operation.name === "publish") {
    return ids(final?.["availability_slots"]).filter((id) => !slots.has(id));
  }
  if (operation.name !== "create") return [];
  const alike = final?.["bookings"]?.filter(
    (row) =>
      row["customer_id"] === operation.customer &&
      row["idempotency_key"] === (operation.idempotencyKey ?? null),
  );
  return ids(alike).filter((id) => !bookings.has(id));
}
