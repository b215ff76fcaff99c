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

/** The kinds of operations to pair. A `retry` is a create with an idempotency key. */
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

/** The ids in the state below that an operation names. */
interface Target {
  readonly booking?: number;
  readonly slot?: number;
}

function slot(outcome: SlotPlan["outcome"], gap = ADJACENT, soon = false): SlotPlan {
  return { sameProvider: true, past: false, soon, gap, outcome };
}

/**
 * A calendar in which each operation can succeed. Slots and their active bookings have the same ids.
 * Booking 3 was cancelled, and its payment is due for a refund.
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
 * The first two slots overlap, and begin when time elapses. The first one's booking has expired; it
 * cannot be booked while the second is booked.
 */
const ABOUT_TO_BEGIN = initialState([
  slot("expired", ADJACENT, true),
  slot("lapsed", OVERLAPPING, true),
  slot("confirmed", APART),
]);

const KEY = { customer: "customer-1", idempotencyKey: "key-1" } as const;

/**
 * Every two kinds of operations, each with itself too, on the same slot or booking where possible. In
 * the initial state either would succeed alone. Further pairs cover what this state cannot show.
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

/** Creates and moves to overlapping slots, of which only one can be booked. */
function overlapping() {
  const creates = ["create-http", "create-function", "create-vendor"] as const;
  const takers = [...creates, "reschedule"] as const;
  const beside = { slot: BESIDE_FREE };
  return creates.flatMap((first, index) =>
    takers.slice(index).map((second) => pair([first, {}], [second, beside], "overlapping slots")),
  );
}

/** The second operation needs the slot that the first one frees. */
function freed() {
  const taken = { slot: LAPSED };
  return (["cancel", "reschedule", "expire"] as const).flatMap((first) =>
    (["create-function", "withdraw"] as const).map((second) =>
      pair([first, {}], [second, taken], "of the slot that gets free"),
    ),
  );
}

/** The second operation needs the slot that the first one publishes. */
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

/** Payments for an expired booking, and for one that is cancelled. */
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

/** Operations whose slot becomes free only after it has begun. */
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

/** The booking that a retry returns has moved in the meantime. */
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
  [first, firstTarget]: readonly [Kind, Target],
  [second, secondTarget]: readonly [Kind, Target],
  where?: string,
): Pair<BookingState, BookingOperation> {
  const name = `${first} × ${second}${where === undefined ? "" : `, ${where}`}`;
  const one = operation(first, 0, firstTarget);
  const two = operation(second, 1, secondTarget);
  const request = one.name === "create" && second === "retry" ? { ...one, ...KEY } : undefined;
  // A retry is the same request, including the customer.
  const clients = request === undefined ? [[one], [two]] : [[request], [request]];
  return { name, scenario: { initial: CALENDAR, clients } };
}

/** Where both are possible, client 0 uses HTTP and client 1 the database function. */
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
