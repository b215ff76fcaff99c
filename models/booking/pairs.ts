import type { DefinedScenario, Operation } from "../../harness/index.ts";
import { BOOKING, SLOT } from "./calendar.ts";

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

/** What an operation names: by default the booking whose hold is over, and the free slot. */
interface Target {
  readonly booking?: { readonly id: number };
  readonly slot?: { readonly id: number };
}

type Side = readonly [Kind, Target?];

const WITH_KEY = { customer: "customer-1", idempotencyKey: "key-1" } as const;

/**
 * Every two kinds of operations, each with itself too, on the same slot or booking where possible. In
 * the calendar either would succeed alone. Further pairs cover what this does not show.
 */
export function pairs(): { readonly [name: string]: DefinedScenario } {
  const { lapsed, confirmed, expired, soonExpired, soonLapsed } = BOOKING;
  const { besideFree: beside, foreignFree, withdrawn, unpublished } = SLOT;
  const all: Record<string, DefinedScenario> = {};
  const add = (name: string, clients: readonly (readonly Operation[])[]) => {
    all[name] = { initial: { prefix: [] }, clients };
  };
  const pair = (first: Side, second: Side, where?: string) => {
    const name = `${first[0]} × ${second[0]}${where === undefined ? "" : `, ${where}`}`;
    const one = operation(first, 0);
    // A retry is the same request, including the customer.
    const repeated = /^create/.test(one.name) && second[0] === "retry";
    const request = { ...one, ...WITH_KEY };
    add(name, repeated ? [[request], [request]] : [[one], [operation(second, 1)]]);
  };

  for (const [at, first] of KINDS.entries()) {
    for (const second of KINDS.slice(at)) pair([first], [second]);
  }

  // Creates and moves to overlapping slots, of which only one can be booked.
  const takers = ["create-http", "create-function", "create-vendor", "reschedule"] as const;
  for (const [at, first] of takers.entries()) {
    if (first === "reschedule") continue;
    for (const second of takers.slice(at))
      pair([first], [second, { slot: beside }], "overlapping slots");
  }

  // Two slots of one provider that have nothing in common.
  pair(["create-http"], ["create-function", { slot: expired.slot }], "of two slots");

  for (const first of ["cancel", "reschedule", "expire"] as const) {
    for (const second of ["create-function", "withdraw"] as const) {
      pair([first], [second, { slot: lapsed.slot }], "of the slot that gets free");
    }
  }

  const again = { slot: withdrawn };
  pair(["publish", again], ["create-function", again], "of a withdrawn slot");
  pair(["publish", again], ["reschedule", again], "to a withdrawn slot");
  pair(["publish", { slot: unpublished }], ["publish", { slot: unpublished }], "of a new slot");

  const moves = (first: Target, second: Target, where: string) =>
    pair(["reschedule", first], ["reschedule", second], where);
  moves({}, { slot: beside }, "of one booking to two slots");
  moves({}, { booking: confirmed }, "of two bookings to one slot");
  moves({}, { booking: confirmed, slot: beside }, "of two bookings to overlapping slots");
  moves({ slot: confirmed.slot }, { booking: confirmed, slot: lapsed.slot }, "crossing");

  for (const second of ["create-function", "reschedule", "withdraw"] as const) {
    const target = { slot: expired.slot };
    pair(["webhook", { booking: expired }], [second, target], "of the slot of an expired booking");
  }
  const paid = { booking: confirmed };
  pair(["cancel", paid], ["refund"], "of a paid booking");
  pair(["cancel", paid], ["webhook", paid], "of a paid booking");

  // Operations whose slot becomes free only after it has begun.
  const late: readonly Side[] = [
    ["create-function", { slot: soonExpired.slot }],
    ["reschedule", { booking: confirmed, slot: soonExpired.slot }],
    ["webhook", { booking: soonExpired }],
  ];
  for (const side of late) {
    const others = [{ name: "elapse" }, operation(["cancel", { booking: soonLapsed }], 1)];
    add(`${side[0]} × elapse, of a slot that gets free too late`, [[operation(side, 0)], others]);
  }

  // Two requests of one pool: elsewhere one of the two calls the function on its own connection.
  const overHttp = ({ id: booking }: { readonly id: number }) => [
    { name: "cancel", as: "owner", booking },
  ];
  add("cancel × cancel, of two bookings over HTTP", [overHttp(lapsed), overHttp(confirmed)]);

  const request = operation(["retry"], 0);
  add("retry × retry, for two slots", [
    [request],
    [operation(["retry", { slot: foreignFree }], 1)],
  ]);

  // The booking that a retry returns has moved in the meantime.
  const own = { of: "bookings.id", row: 0, own: true };
  const move = { name: "reschedule", as: "vendor:1", booking: own, slot: beside.id };
  add("retry × retry, of a booking that moves", [[request, move], [request]]);
  return all;
}

/** Where both are possible, client 0 uses HTTP and client 1 the database function. */
function operation([kind, target = {}]: Side, client: number): Operation {
  const { booking: { id: booking } = BOOKING.lapsed, slot: { id: slot } = SLOT.free } = target;
  const owner = client === 0 ? { as: "owner" } : { by: "owner" };
  const either = (name: string) => (client === 0 ? name : `${name}Directly`);
  const customer = `customer-${client + 1}`;
  switch (kind) {
    case "create-http":
      return create("create", customer, slot);
    case "create-function":
      return create("createDirectly", customer, slot);
    case "create-vendor":
      return { ...create("createDirectly", customer, slot), createdBy: "vendor" };
    case "retry":
      return { ...create(either("create"), customer, slot), ...WITH_KEY };
    case "cancel":
      return { name: either(kind), ...owner, booking };
    case "confirm":
      return { name: kind, as: "owner", booking, attempt: 1 };
    case "webhook": {
      const gateway = client === 0 ? { as: "system:gateway" } : {};
      return { name: either(kind), ...gateway, booking, attempt: 1, captured: true };
    }
    case "refund":
      return { name: kind, as: "system:gateway" };
    case "reschedule":
      return { name: either(kind), ...owner, booking, slot };
    case "publish":
    case "withdraw":
      return { name: kind, slot };
    case "list":
      return { name: kind, provider: 1 };
    case "expire":
      return { name: kind };
  }
}

function create(name: string, customer: string, slot: number): Operation {
  const sender = name === "create" ? { as: "creator" } : {};
  const texts = { customerName: "Ada Lovelace", notes: "", createdBy: "customer" };
  const nothing = { idempotencyKey: null, paymentIntentId: null, provider: null };
  return { name, ...sender, slot, customer, ...texts, ...nothing };
}
