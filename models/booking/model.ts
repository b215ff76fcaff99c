import {
  type Call,
  isUnknown,
  type Json,
  type JsonObject,
  type Model,
  type ObservedHistory,
} from "../../harness/index.ts";
import type { CorrectAnswer } from "./model-answer.ts";
import { type Calendar, calendarOf, keyOf, unexpectedContents } from "./model-calendar.ts";
import { afterInterruptedRefund, answer } from "./model-rules.ts";
import { type BookingOperation, References } from "./operations.ts";
import type { BookingState } from "./state.ts";

/** The model of the booking service: its rules are in model-rules.ts. */
export const model: Model<Calendar, BookingState, BookingOperation> = {
  init: calendarOf,

  step(calendar, call) {
    if (isUnknown(call)) return possibleEffects(calendar, call.operation);
    const right = answer(calendar, call.operation, idIn(call));
    return difference(calendar, right, call) === undefined ? [right.after] : [];
  },

  expected(calendar, call) {
    const right = answer(calendar, call.operation, idIn(call));
    return difference(calendar, right, call) ?? `${right.code} is correct`;
  },

  key: keyOf,
  mismatch: unexpectedContents,
  split: splitByCalendar,
};

/** The HTTP status of each refusal. That of a success is 200 unless the answer has another. */
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

/** The id in the response of a create or publish, which the service chose; else 0. */
function idIn({ operation, response }: Call<BookingOperation>): number {
  const names = operation.name === "create" || operation.name === "publish";
  return names && response?.outcome === "ok" ? Number((response.body as JsonObject)["id"]) : 0;
}

/** The difference between a response and the correct answer, in words; undefined if there is none. */
function difference(
  calendar: Calendar,
  right: CorrectAnswer,
  call: Call<BookingOperation>,
): string | undefined {
  const { operation, response } = call;
  if (response === undefined) return undefined;
  if (response.code !== right.code) return `${right.code} is correct`;
  if (right.makes !== undefined && calendar[right.makes].has(idIn(call))) {
    return "the id is not new";
  }
  const status = right.status ?? STATUS[right.code] ?? 200;
  if (operation.via === "http" && response.status !== undefined && response.status !== status) {
    return `the status ${status} is correct`;
  }
  if (equalJson(response.body, right.body)) return undefined;
  const [said, body] = [JSON.stringify(response.body), JSON.stringify(right.body)];
  return `${right.code} is correct, with ${body}, not ${said}`;
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

/** The possible calendars if an operation without a response had an effect. */
function possibleEffects(calendar: Calendar, operation: BookingOperation): readonly Calendar[] {
  if (operation.name === "refund") return afterInterruptedRefund(calendar);
  const ids = idsAtTheEnd(calendar, operation);
  return (ids.length === 0 ? [0] : ids)
    .map((id) => answer(calendar, operation, id).after)
    .filter((after) => after !== calendar);
}

/** The ids of the final rows that the operation may have made, and that do not exist yet. */
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

export type BookingHistory = ObservedHistory<BookingState, BookingOperation>;
type BookingCall = Call<BookingOperation>;

/**
 * Splits a history into independent parts. Providers are independent unless an operation concerns
 * several: creates with one key on slots of both, or `expire`, `refund` and `elapse`, which concern all.
 * In the parts' operations, ids replace references to what a client made.
 */
function splitByCalendar(account: BookingHistory): readonly BookingHistory[] {
  const { initial, final } = account;
  const calls = withResolvedIds(account);
  const touched = new Map(calls.map((it) => [it, thingsConcerned(it, initial)]));
  const groups = new Groups();
  for (const things of [...touched.values(), ...thingsLinked(account)]) groups.join(things);

  const of = (thing: string): string => groups.of(thing);
  const providers = grouped(initial.providers, ({ id }) => of(provider(id)));
  const slots = grouped(initial.slots, (slot) => of(provider(slot.provider)));
  const bookings = grouped(initial.bookings, ({ id }) => of(booking(id)));
  const payments = grouped(initial.payments, (its) => of(booking(its.booking)));
  const asked = grouped(calls, (call) => of(touched.get(call)?.[0] ?? NOTHING));
  const tables = Object.entries(final ?? {}).map(
    ([table, rows]) => [table, grouped(rows, (row) => of(ownerOf(table, row)))] as const,
  );
  return groups.all.map((group) => ({
    initial: {
      providers: providers.get(group) ?? [],
      slots: slots.get(group) ?? [],
      bookings: bookings.get(group) ?? [],
      payments: payments.get(group) ?? [],
    },
    calls: asked.get(group) ?? [],
    final: final && Object.fromEntries(tables.map(([name, rows]) => [name, rows.get(group) ?? []])),
  }));
}

/** The calls with ids in place of references to what their client made. */
function withResolvedIds({ initial, calls }: BookingHistory): readonly BookingCall[] {
  const references = new References(initial);
  const operations = new Map<BookingCall, BookingOperation>();
  const events = calls.flatMap((call) => [
    { at: call.invokedAt, call, returns: false },
    { at: call.returnedAt, call, returns: true },
  ]);
  for (const { call, returns } of events.sort((a, b) => a.at - b.at)) {
    const { client, operation, response } = call;
    const asked = operations.get(call) ?? references.named(operation, client);
    if (!returns) operations.set(call, asked);
    else if (response !== undefined) references.learn(client, asked, response);
  }
  return calls.map((it) => ({ ...it, operation: operations.get(it) ?? it.operation }));
}

/** Operations that concern all providers. */
const FOR_ALL: ReadonlySet<BookingOperation["name"]> = new Set(["expire", "refund", "elapse"]);

const NOTHING = "nothing";
const provider = (id: unknown): string => `provider ${id}`;
const slot = (id: unknown): string => `slot ${id}`;
const booking = (id: unknown): string => `booking ${id}`;

function ownerOf(table: string, row: JsonObject): string {
  if (table === "payments") return booking(row["booking_id"]);
  return provider(table === "providers" ? row["id"] : row["provider_id"]);
}

/** Groups of things that belong together in the initial state and in the final rows. */
function* thingsLinked({ initial, final }: BookingHistory): Iterable<readonly string[]> {
  for (const { id } of initial.providers) yield [provider(id)];
  for (const its of initial.slots) yield [slot(its.id), provider(its.provider)];
  for (const its of initial.bookings) yield [booking(its.id), slot(its.slot)];
  for (const row of final?.["availability_slots"] ?? []) {
    yield [slot(row["id"]), provider(row["provider_id"])];
  }
  for (const row of final?.["bookings"] ?? []) {
    yield [booking(row["id"]), provider(row["provider_id"])];
  }
}

/** The things that an operation names or that its response says it made. */
function thingsConcerned(
  { operation, response }: BookingCall,
  { providers }: BookingState,
): readonly string[] {
  const things: string[] = [];
  if ("slot" in operation && "id" in operation.slot) things.push(slot(operation.slot.id));
  if ("booking" in operation && "id" in operation.booking)
    things.push(booking(operation.booking.id));
  if ("provider" in operation) things.push(provider(operation.provider));
  if (operation.name === "create" && operation.idempotencyKey !== undefined) {
    things.push(`key ${operation.customer} ${operation.idempotencyKey}`);
  }
  if (FOR_ALL.has(operation.name)) things.push(...providers.map(({ id }) => provider(id)));
  if (response?.outcome === "ok" && (operation.name === "create" || operation.name === "publish")) {
    const { id } = response.body as JsonObject;
    things.push(operation.name === "create" ? booking(id) : slot(id));
  }
  return things.length > 0 ? things : [NOTHING];
}

function grouped<T>(items: Iterable<T>, groupOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groupOf(item);
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [item]);
    else members.push(item);
  }
  return groups;
}

/** Union-find: things that were joined, directly or through others, are in one group. */
class Groups {
  readonly #parent = new Map<string, string>();

  join([first, ...others]: readonly string[]): void {
    if (first === undefined) return;
    const root = this.of(first);
    for (const other of others) this.#parent.set(this.of(other), root);
  }

  /** The representative of a thing's group. */
  of(thing: string): string {
    let root = thing;
    for (let next = this.#parent.get(root); next !== root; next = this.#parent.get(root)) {
      if (next === undefined) this.#parent.set(root, root);
      else root = next;
    }
    // Path compression.
    for (let at = thing; at !== root; ) {
      const next = this.#parent.get(at) ?? root;
      this.#parent.set(at, root);
      at = next;
    }
    return root;
  }

  get all(): readonly string[] {
    return [...this.#parent].filter(([thing, parent]) => thing === parent).map(([thing]) => thing);
  }
}
