import {
  isUnknown,
  type Json,
  type JsonObject,
  type Model,
  type Operation,
} from "../../harness/index.ts";
import type { BookingCommand } from "./commands.ts";
import type { Answer } from "./model-answer.ts";
import { type Calendar, calendarOf, keyOf } from "./model-calendar.ts";
import { misfit } from "./model-contents.ts";
import { calendars } from "./model-history.ts";
import { refundsPartly } from "./model-payments.ts";
import { answer } from "./model-rules.ts";
import type { BookingState } from "./state.ts";

/** The specification of the booking service (model-rules.ts), as what histories are judged by. */
export const model: Model<Calendar, BookingState, BookingCommand> = {
  init: calendarOf,

  step(calendar, operation) {
    if (isUnknown(operation)) return effects(calendar, operation.command);
    const right = answer(calendar, operation.command, idIn(operation));
    return difference(calendar, right, operation) === undefined ? [right.after] : [];
  },

  expected(calendar, operation) {
    const right = answer(calendar, operation.command, idIn(operation));
    return difference(calendar, right, operation) ?? `${right.code} is right`;
  },

  key: keyOf,
  misfit,
  split: calendars,
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
function idIn({ command, response }: Operation<BookingCommand>): number {
  const names = command.name === "create" || command.name === "publish";
  return names && response?.outcome === "ok" ? Number((response.body as JsonObject)["id"]) : 0;
}

/** What is wrong with an answer, in words; undefined if it is right. */
function difference(
  calendar: Calendar,
  right: Answer,
  operation: Operation<BookingCommand>,
): string | undefined {
  const { command, response } = operation;
  if (response === undefined) return undefined;
  if (response.code !== right.code) return `${right.code} is right`;
  if (right.makes !== undefined && calendar[right.makes].has(idIn(operation))) {
    return "the id is taken";
  }
  const status = right.status ?? STATUS[right.code] ?? 200;
  if (command.via === "http" && response.status !== undefined && response.status !== status) {
    return `the status ${status} is right`;
  }
  if (same(response.body, right.body)) return undefined;
  const [said, body] = [JSON.stringify(response.body), JSON.stringify(right.body)];
  return `${right.code} is right, with ${body}, not ${said}`;
}

function same(a: Json, b: Json): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [a, b] as readonly { readonly [field: string]: Json | undefined }[];
  const fields = Object.keys(a);
  return (
    fields.length === Object.keys(b).length &&
    fields.every((field) => field in b && same(left?.[field] ?? null, right?.[field] ?? null))
  );
}

/** What may follow if a command has an effect that nobody was told of. */
function effects(calendar: Calendar, command: BookingCommand): readonly Calendar[] {
  if (command.name === "refund") return refundsPartly(calendar);
  const ids = idsAtTheEnd(calendar, command);
  return (ids.length === 0 ? [0] : ids)
    .map((id) => answer(calendar, command, id).after)
    .filter((after) => after !== calendar);
}

/** Which of the things that there are in the end, and not yet, the command may have made. */
function idsAtTheEnd(
  { final, bookings, slots }: Calendar,
  command: BookingCommand,
): readonly number[] {
  const ids = (rows: readonly JsonObject[] = []) => rows.map((row) => Number(row["id"]));
  if (command.name === "publish") {
    return ids(final?.["availability_slots"]).filter((id) => !slots.has(id));
  }
  if (command.name !== "create") return [];
  const alike = final?.["bookings"]?.filter(
    (row) =>
      row["customer_id"] === command.customer &&
      row["idempotency_key"] === (command.idempotencyKey ?? null),
  );
  return ids(alike).filter((id) => !bookings.has(id));
}
