import type { Arbitrary } from "fast-check";
import fc from "fast-check";
import type { Bounds, Scenario } from "../../harness/index.ts";
import type {
  BookingOperation,
  Cancel,
  Confirm,
  Create,
  Expire,
  Publish,
  Reference,
  Refund,
  Reschedule,
  Via,
  Webhook,
  Withdraw,
} from "./operations.ts";
import {
  ADJACENT,
  APART,
  at,
  type BookingState,
  EXPIRY_TIME,
  initialState,
  OVERLAPPING,
  type SlotPlan,
  slotPlans,
} from "./state.ts";
import { seededTexts } from "./texts.ts";

const via = fc.constantFrom<Via>("http", "function");
const customer = fc.constantFrom("customer-1", "customer-2", "customer-3");
const idempotencyKey = fc.constantFrom("key-1", "key-2");
const paymentIntentId = fc.integer({ min: 1, max: 99 }).map((n) => `pi_${n}`);
const createdBy = fc.constantFrom<Create["createdBy"]>(
  "customer",
  "customer",
  "customer",
  "vendor",
);

/** True with probability 1/n. */
function oneIn(n: number): Arbitrary<boolean> {
  return fc.integer({ min: 1, max: n }).map((k) => k === n);
}

/** In one of 12 cases an actor who may or may not have the right to send the operation. */
const anySender = sender(["vendor:1", "vendor:1", "vendor:2", "customer:customer-2", "nobody"]);
const strangerSender = sender(["vendor:2", "customer:customer-2", "nobody"]);

function sender(others: readonly string[]): Arbitrary<{ readonly by?: string }> {
  return fc
    .record({ other: oneIn(12), by: fc.constantFrom(...others) })
    .map(({ other, by }) => (other ? { by } : {}));
}

/** An operation with a sender. */
function withSender<C extends object>(
  operation: Arbitrary<C>,
  by: Arbitrary<{ readonly by?: string }>,
) {
  return fc.tuple(operation, by).map(([operation, by]) => ({ ...operation, ...by }));
}

/** Creates on a slot. The customer's name and the notes are empty. */
function create(slot: Arbitrary<Reference>): Arbitrary<Create> {
  return fc
    .record({
      via,
      slot,
      customer,
      createdBy,
      keyed: oneIn(6),
      idempotencyKey,
      paid: oneIn(4),
      paymentIntentId,
      mistaken: oneIn(25),
      foreign: oneIn(25),
    })
    .map(({ keyed, idempotencyKey, paid, paymentIntentId, mistaken, foreign, ...rest }) => ({
      name: "create" as const,
      ...rest,
      customerName: "",
      notes: "",
      ...(keyed && { idempotencyKey }),
      ...(paid && { paymentIntentId }),
      ...(mistaken && { provider: UNKNOWN_PROVIDER }),
      ...(foreign && { by: "customer:customer-4" }),
    }));
}

/** A provider that no scenario has. */
const UNKNOWN_PROVIDER = 9;

function cancel(booking: Arbitrary<Reference>): Arbitrary<Cancel> {
  return withSender(fc.record({ name: fc.constant("cancel" as const), via, booking }), anySender);
}

function confirm(booking: Arbitrary<Reference>): Arbitrary<Confirm> {
  const name = fc.constant("confirm" as const);
  const attempt = fc.constantFrom<Confirm["attempt"]>(1, 1, 1, 1, 1, 1, 2, 3);
  return withSender(
    fc.record({ name, via: fc.constant("http" as const), booking, attempt }),
    anySender,
  );
}

function webhook(booking: Arbitrary<Reference>): Arbitrary<Webhook> {
  const name = fc.constant("webhook" as const);
  const attempt = fc.constantFrom<Webhook["attempt"]>(1, 1, 1, 2);
  const captured = fc.constantFrom(true, true, true, false);
  return withSender(fc.record({ name, via, booking, attempt, captured }), strangerSender);
}

const refund: Arbitrary<Refund> = withSender(
  fc.constant({ name: "refund", via: "http" } as const),
  strangerSender,
);

function reschedule(
  booking: Arbitrary<Reference>,
  slot: Arbitrary<Reference>,
): Arbitrary<Reschedule> {
  return withSender(
    fc.record({ name: fc.constant("reschedule" as const), via, booking, slot }),
    anySender,
  );
}

function withdraw(slot: Arbitrary<Reference>): Arbitrary<Withdraw> {
  return slot.map((slot) => ({ name: "withdraw", via: "function", slot }));
}

const expire: Arbitrary<Expire> = fc.constant({
  name: "expire",
  via: "function",
  at: EXPIRY_TIME,
});

/** Publishes slots between existing ones, overlapping them, or at the same time. */
function publish(provider: Arbitrary<number>): Arbitrary<Publish> {
  return fc
    .record({ provider, start: fc.integer({ min: 0, max: 6 }) })
    .map(({ provider, start }) => ({
      name: "publish",
      via: "function",
      provider,
      startAt: at(start),
      endAt: at(start + 2),
    }));
}

function id(number: number): Arbitrary<Reference> {
  return fc.constant({ id: number });
}

/**
 * Any operation. `counts` are the numbers of objects in the initial state. If `later`, the operation is
 * not its client's first, and may refer to what the client made. A booking's id may be the one that the
 * first successful create of the execution will get.
 */
export function anyOperation(
  counts: { readonly providers: number; readonly slots: number; readonly bookings: number },
  later: boolean,
): Arbitrary<BookingOperation> {
  const own = { weight: later ? 3 : 0, arbitrary: fc.constant<Reference>({ own: 0 }) };
  const ids = (max: number) =>
    fc.integer({ min: 1, max }).map((number): Reference => ({ id: number }));
  const booking = fc.oneof(
    { weight: 8 * counts.bookings, arbitrary: ids(Math.max(1, counts.bookings)) },
    { weight: 2, arbitrary: id(counts.bookings + 1) },
    own,
  );
  const slot = ids(counts.slots);
  const slotOrOwn = fc.oneof({ weight: 12, arbitrary: slot }, own);
  const provider = fc.integer({ min: 1, max: counts.providers });
  return fc.oneof(
    { weight: 5, arbitrary: create(slotOrOwn) },
    { weight: 3, arbitrary: cancel(booking) },
    { weight: 1, arbitrary: confirm(booking) },
    { weight: 2, arbitrary: webhook(booking) },
    { weight: 1, arbitrary: refund },
    { weight: 3, arbitrary: reschedule(booking, slot) },
    { weight: 1, arbitrary: withdraw(slot) },
    { weight: 1, arbitrary: expire },
    { weight: 1, arbitrary: publish(provider) },
    {
      weight: 1,
      arbitrary: provider.map((provider) => ({ name: "list", via: "http", provider }) as const),
    },
  );
}

/**
 * Conflicting operations with which a scenario begins. Under a uniform choice of operations most
 * conflicts are too rare (crossing reschedules: 0.2 % of scenarios), so each scenario starts with one.
 */
export interface Race {
  /** The relative frequency. */
  readonly weight: number;
  /** The slots of the initial state. */
  readonly slots: Arbitrary<readonly SlotPlan[]>;
  /** The operations, which are distributed over the clients in turn. */
  readonly operations: Arbitrary<readonly BookingOperation[]>;
}

// With these, slot n and the booking on it have the same number.
const free = { past: [false], outcome: ["free"] } as const;
const active = { past: [false], outcome: ["pending", "confirmed"] } as const;
const pending = { past: [false], outcome: ["pending", "lapsed"] } as const;
const lapsed = { past: [false], outcome: ["lapsed"] } as const;
const expired = { past: [false], outcome: ["expired"] } as const;
const next = { ...free, sameProvider: [true] } as const;

const one = id(1);
const two = id(2);
const anyOf = fc.oneof;
const payment = anyOf(webhook(one), webhook(one), confirm(one));

/** Two creates with one key: mostly the same request, sometimes for another slot. */
const repeated: Arbitrary<readonly Create[]> = fc
  .tuple(create(one), create(anyOf(one, one, two)), fc.constantFrom("http", "function"))
  .map(([first, second, via]) => {
    const keyed = { ...first, idempotencyKey: "key-1" };
    return [keyed, { ...keyed, slot: second.slot, via } as Create];
  });

const races: readonly Race[] = [
  { weight: 2, slots: slotPlans([]), operations: fc.constant([]) },
  { weight: 4, slots: slotPlans([free]), operations: fc.tuple(create(one), create(one)) },
  {
    weight: 3,
    slots: slotPlans([free, { ...next, gap: [OVERLAPPING] }]),
    operations: fc.tuple(create(one), create(two)),
  },
  {
    weight: 1,
    slots: slotPlans([free, { ...next, gap: [ADJACENT] }]),
    operations: fc.tuple(create(one), create(two)),
  },
  {
    weight: 3,
    slots: slotPlans([active, { ...active, sameProvider: [true], gap: [ADJACENT, APART] }]),
    operations: fc.tuple(reschedule(one, two), reschedule(two, one)),
  },
  {
    weight: 2,
    slots: slotPlans([active, next]),
    operations: fc.tuple(
      reschedule(one, two),
      anyOf(cancel(one), confirm(one), create(anyOf(one, two)), reschedule(one, two)),
    ),
  },
  {
    weight: 3,
    slots: slotPlans([active, next, next]),
    operations: fc.tuple(reschedule(one, two), cancel(one), reschedule(one, id(3))),
  },
  {
    weight: 4,
    slots: slotPlans([active]),
    operations: fc.tuple(cancel(one), anyOf(cancel(one), create(one), confirm(one))),
  },
  {
    weight: 3,
    slots: slotPlans([active]),
    operations: fc.tuple(cancel(one), cancel(one), create(one)),
  },
  { weight: 3, slots: slotPlans([free, next]), operations: repeated },
  {
    weight: 1,
    slots: slotPlans([{ past: [true] }, next]),
    operations: fc.tuple(create(one), anyOf(create(one), create(two))),
  },
  {
    weight: 2,
    slots: slotPlans([free]),
    operations: fc.tuple(withdraw(one), create(one)),
  },
  {
    weight: 4,
    slots: slotPlans([lapsed]),
    operations: fc.tuple(expire, anyOf(payment, payment, cancel(one), create(one)), create(one)),
  },
  {
    weight: 3,
    slots: slotPlans([pending]),
    operations: fc.tuple(payment, anyOf(payment, cancel(one)), payment),
  },
  {
    weight: 2,
    slots: slotPlans([expired]),
    operations: fc.tuple(payment, anyOf(create(one), create(one), payment)),
  },
  {
    weight: 3,
    slots: slotPlans([{ past: [false], outcome: ["confirmed", "refund"] }]),
    operations: fc.tuple(refund, anyOf(refund, cancel(one)), anyOf(refund, payment)),
  },
];

export type BookingScenario = Scenario<BookingState, BookingOperation>;

/** The numbers of operations of a client. Small numbers keep executions short. */
const OPERATIONS_PER_CLIENT = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3] as const;

/**
 * Small scenarios in which races are likely. A seed of their own chooses names and notes. fast-check's
 * bias towards small values is off: it depends on how many values were drawn before, and would change
 * the frequencies of the patterns.
 */
export function scenarios(bounds: Bounds): Arbitrary<BookingScenario> {
  const sizes = clientCounts(bounds).map((count) => ({
    weight: bounds.maxClients - count + 1,
    arbitrary: fc.array(fc.constantFrom(...OPERATIONS_PER_CLIENT), {
      minLength: count,
      maxLength: count,
    }),
  }));
  const scenario = fc.oneof(
    ...races.map((race) => ({
      weight: race.weight,
      arbitrary: fc.oneof(...sizes).chain((counts) => raceScenarios(race, counts)),
    })),
  );
  return fc.noBias(scenario);
}

function clientCounts({ minClients, maxClients }: Bounds): number[] {
  return Array.from({ length: maxClients - minClients + 1 }, (_, i) => minClients + i);
}

/** Scenarios that start with a race. Further operations follow until each client has its number. */
function raceScenarios(race: Race, counts: readonly number[]): Arbitrary<BookingScenario> {
  return fc
    .tuple(race.slots.map(initialState), race.operations, fc.integer({ min: 1, max: 0x7fffffff }))
    .chain(([initial, operations, seed]) => {
      const size = {
        providers: initial.providers.length,
        slots: initial.slots.length,
        bookings: initial.bookings.length,
      };
      const first = anyOperation(size, false);
      const later = anyOperation(size, true);
      const clients = counts.map((count, client) => {
        const raced = operations.filter((_, i) => i % counts.length === client);
        const others = Array.from({ length: Math.max(0, count - raced.length) }, (_, i) =>
          i + raced.length === 0 ? first : later,
        );
        return fc.tuple(...others).map((rest) => [...raced, ...rest]);
      });
      return fc.tuple(...clients).map((clients) => withTexts({ initial, clients }, seed));
    });
}

function withTexts(scenario: BookingScenario, seed: number): BookingScenario {
  const texts = seededTexts(seed);
  const names = new Map<string, string>();
  const nameOf = (customer: string): string => {
    const name = names.get(customer) ?? texts.customer();
    names.set(customer, name);
    return name;
  };
  const signed = <T extends { readonly customer: string }>(thing: T) => ({
    ...thing,
    customerName: nameOf(thing.customer),
    notes: texts.note(),
  });
  const { providers, bookings } = scenario.initial;
  return {
    initial: {
      ...scenario.initial,
      providers: providers.map((provider) => ({ ...provider, name: texts.provider() })),
      bookings: bookings.map(signed),
    },
    clients: scenario.clients.map((operations) =>
      operations.map((operation) => (operation.name === "create" ? signed(operation) : operation)),
    ),
  };
}
