import type { Pair } from "../../harness/index.ts";
import type { BookingOperation, Create, Via } from "./operations.ts";
import {
  ADJACENT,
  APART,
  at,
  type BookingState,
  EXPIRY_TIME,
  initialState,
  OVERLAPPING,
  type SlotPlan,
} from "./state.ts";

/** The operations of which every two make a pair. A `retry` is a create that carries a key. */
const KINDS = [
  "create-http",
  "create-function",
  "create-vendor",
  "retry",
  "confirm",
  "webhook",
  "refund",
  "cancel",
  "reschedule",
  "expire",
  "publish",
  "withdraw",
  "list",
] as const;

type Kind = (typeof KINDS)[number];

/** What a operation is about: ids of the state below. */
interface Target {
  readonly booking?: number;
  readonly slot?: number;
}

function slot(outcome: SlotPlan["outcome"], gap = ADJACENT, soon = false): SlotPlan {
  return { sameProvider: true, past: false, soon, gap, outcome };
}

/**
 * A calendar in which each operation can succeed. Slots and their active bookings have the same
 * numbers; booking 3 was cancelled, and its payment is still to be given back.
 */
const CALENDAR = initialState([
  slot("lapsed"),
  slot("confirmed"),
  slot("free"),
  slot("free", OVERLAPPING),
  slot("withdrawn", APART),
  slot("refund", APART),
  slot("expired", APART),
]);
const [LAPSED, CONFIRMED, FREE, BESIDE_FREE, WITHDRAWN, EXPIRED, UNPUBLISHED] = [
  1, 2, 3, 4, 5, 7, 8,
];
const EXPIRED_BOOKING = 4;

/**
 * The first two slots overlap, and begin when time elapses. The first had a booking that expired, and
 * cannot be had as long as the second has one.
 */
const ABOUT_TO_BEGIN = initialState([
  slot("expired", ADJACENT, true),
  slot("lapsed", OVERLAPPING, true),
  slot("confirmed", APART),
]);

const KEY = { customer: "customer-1", idempotencyKey: "key-1" } as const;

/**
 * Every two operations, each with itself too, in an initial state in which either would succeed
 * alone: as far as they can, they want the same slot or booking. Then further ones, for what that
 * state cannot show.
 */
export function pairs(): readonly Pair<BookingState, BookingOperation>[] {
  const everyTwo = KINDS.flatMap((first, index) =>
    KINDS.slice(index).map((second) => pair([first, {}], [second, {}])),
  );
  return [
    ...everyTwo,
    ...overlapping(),
    ...freed(),
    ...published(),
    ...moved(),
    ...late(),
    ...tooLate(),
    retriedLater(),
  ];
}

/** Slots that overlap: whoever takes one takes the other. */
function overlapping() {
  const creates = ["create-http", "create-function", "create-vendor"] as const;
  const takers = [...creates, "reschedule"] as const;
  const beside = { slot: BESIDE_FREE };
  return creates.flatMap((first, index) =>
    takers.slice(index).map((second) => pair([first, {}], [second, beside], "overlapping slots")),
  );
}

/** What one operation takes or withdraws, only the other one makes free. */
function freed() {
  const taken = { slot: LAPSED };
  return (["cancel", "reschedule", "expire"] as const).flatMap((first) =>
    (["create-function", "withdraw"] as const).map((second) =>
      pair([first, {}], [second, taken], "of the slot that gets free"),
    ),
  );
}

/** A slot that is there only once it is published. */
function published() {
  const withdrawn = { slot: WITHDRAWN };
  const anew = { slot: UNPUBLISHED };
  return [
    pair(["publish", withdrawn], ["create-function", withdrawn], "of a withdrawn slot"),
    pair(["publish", withdrawn], ["reschedule", withdrawn], "to a withdrawn slot"),
    pair(["publish", anew], ["publish", anew], "of a new slot"),
  ];
}

/** Two moves, of one booking or of two. */
function moved() {
  const other = { booking: CONFIRMED };
  const two = (first: Target, second: Target, where: string) =>
    pair(["reschedule", first], ["reschedule", second], where);
  return [
    two({}, { slot: BESIDE_FREE }, "of one booking to two slots"),
    two({}, other, "of two bookings to one slot"),
    two({}, { ...other, slot: BESIDE_FREE }, "of two bookings to overlapping slots"),
    two({ slot: CONFIRMED }, { ...other, slot: LAPSED }, "crossing"),
  ];
}

/** Money for a booking whose hold has expired, and for one that is cancelled. */
function late() {
  const expired = { booking: EXPIRED_BOOKING, slot: EXPIRED };
  const confirmed = { booking: CONFIRMED };
  const where = "of the slot of an expired booking";
  return [
    ...(["create-function", "reschedule", "withdraw"] as const).map((second) =>
      pair(["webhook", expired], [second, { slot: EXPIRED }], where),
    ),
    pair(["cancel", confirmed], ["refund", {}], "of a paid booking"),
    pair(["cancel", confirmed], ["webhook", confirmed], "of a paid booking"),
  ];
}

/** What a slot is free for only after it has begun. */
function tooLate(): readonly Pair<BookingState, BookingOperation>[] {
  const elapse = { name: "elapse", via: "function" } as const;
  const cancel = operation("cancel", 1, { booking: 2 });
  const takers = [
    ["create-function", { slot: 1 }],
    ["reschedule", { booking: 3, slot: 1 }],
    ["webhook", { booking: 1 }],
  ] as const;
  return takers.map(([kind, target]) => ({
    name: `${kind} × elapse, of a slot that gets free too late`,
    scenario: {
      initial: ABOUT_TO_BEGIN,
      clients: [[operation(kind, 0, target)], [elapse, cancel]],
    },
  }));
}

/** The booking that a retry gets is not where it was made any more. */
function retriedLater(): Pair<BookingState, BookingOperation> {
  const request = operation("retry", 0, {});
  const move: BookingOperation = {
    name: "reschedule",
    via: "http",
    booking: { own: 0 },
    slot: { id: BESIDE_FREE },
  };
  const clients = [[request, move], [request]];
  return {
    name: "retry × retry, of a booking that moves",
    scenario: { initial: CALENDAR, clients },
  };
}

function pair(
  [first, its]: readonly [Kind, Target],
  [second, other]: readonly [Kind, Target],
  where?: string,
): Pair<BookingState, BookingOperation> {
  const name = `${first} × ${second}${where === undefined ? "" : `, ${where}`}`;
  const one = operation(first, 0, its);
  const two = operation(second, 1, other);
  const request = one.name === "create" && second === "retry" ? { ...one, ...KEY } : undefined;
  // What is retried is the same request, whoever made it.
  const clients = request === undefined ? [[one], [two]] : [[request], [request]];
  return { name, scenario: { initial: CALENDAR, clients } };
}

/** Client 0 takes the way over HTTP, where there are two; client 1 the other one. */
function operation(
  kind: Kind,
  client: number,
  { booking = LAPSED, slot = FREE }: Target,
): BookingOperation {
  const via: Via = client === 0 ? "http" : "function";
  const references = { booking: { id: booking }, slot: { id: slot } };
  const paid = { booking: references.booking, attempt: 1 } as const;
  switch (kind) {
    case "create-http":
      return create("http", client, slot);
    case "create-function":
      return create("function", client, slot);
    case "create-vendor":
      return { ...create("function", client, slot), createdBy: "vendor" };
    case "retry":
      return { ...create(via, client, slot), ...KEY };
    case "cancel":
      return { name: kind, via, booking: references.booking };
    case "confirm":
      return { name: kind, via: "http", ...paid };
    case "webhook":
      return { name: kind, via, ...paid, captured: true };
    case "refund":
      return { name: kind, via: "http" };
    case "reschedule":
      return { name: kind, via, ...references };
    case "expire":
      return { name: kind, via: "function", at: EXPIRY_TIME };
    case "publish": {
      const { startAt, endAt } = CALENDAR.slots[slot - 1] ?? { startAt: at(96), endAt: at(98) };
      return { name: kind, via: "function", provider: 1, startAt, endAt };
    }
    case "withdraw":
      return { name: kind, via: "function", slot: references.slot };
    case "list":
      return { name: kind, via: "http", provider: 1 };
  }
}

function create(via: Via, client: number, slot: number): Create {
  return {
    name: "create",
    via,
    slot: { id: slot },
    customer: `customer-${client + 1}`,
    customerName: "Ada Lovelace",
    notes: "",
    createdBy: "customer",
  };
}
