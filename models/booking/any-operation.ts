import fc, { type Arbitrary } from "fast-check";
import { at } from "./initial-states.ts";
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
import { EXPIRY_TIME } from "./state.ts";

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

/** True in one of `n` cases. */
function oneIn(n: number): Arbitrary<boolean> {
  return fc.integer({ min: 1, max: n }).map((k) => k === n);
}

/** Sometimes a stranger, and sometimes the vendor, who often has the right to. */
const anySender = sender(["vendor:1", "vendor:1", "vendor:2", "customer:customer-2", "nobody"]);
const strangerSender = sender(["vendor:2", "customer:customer-2", "nobody"]);

function sender(others: readonly string[]): Arbitrary<{ readonly by?: string }> {
  return fc
    .record({ other: oneIn(12), by: fc.constantFrom(...others) })
    .map(({ other, by }) => (other ? { by } : {}));
}

/** A operation, and who sends it. */
function withSender<C extends object>(operation: Arbitrary<C>, by: Arbitrary<{ readonly by?: string }>) {
  return fc.tuple(operation, by).map(([operation, by]) => ({ ...operation, ...by }));
}

/** Creates on a slot; customer's name and notes are left empty. */
export function create(slot: Arbitrary<Reference>): Arbitrary<Create> {
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
      ...(mistaken && { provider: NOBODY }),
      ...(foreign && { by: "customer:customer-4" }),
    }));
}

/** A provider that no scenario has. */
const NOBODY = 9;

export function cancel(booking: Arbitrary<Reference>): Arbitrary<Cancel> {
  return withSender(fc.record({ name: fc.constant("cancel" as const), via, booking }), anySender);
}

export function confirm(booking: Arbitrary<Reference>): Arbitrary<Confirm> {
  const name = fc.constant("confirm" as const);
  const attempt = fc.constantFrom<Confirm["attempt"]>(1, 1, 1, 1, 1, 1, 2, 3);
  return withSender(fc.record({ name, via: fc.constant("http" as const), booking, attempt }), anySender);
}

export function webhook(booking: Arbitrary<Reference>): Arbitrary<Webhook> {
  const name = fc.constant("webhook" as const);
  const attempt = fc.constantFrom<Webhook["attempt"]>(1, 1, 1, 2);
  const captured = fc.constantFrom(true, true, true, false);
  return withSender(fc.record({ name, via, booking, attempt, captured }), strangerSender);
}

export const refund: Arbitrary<Refund> = withSender(
  fc.constant({ name: "refund", via: "http" } as const),
  strangerSender,
);

export function reschedule(
  booking: Arbitrary<Reference>,
  slot: Arbitrary<Reference>,
): Arbitrary<Reschedule> {
  return withSender(fc.record({ name: fc.constant("reschedule" as const), via, booking, slot }), anySender);
}

export function withdraw(slot: Arbitrary<Reference>): Arbitrary<Withdraw> {
  return slot.map((slot) => ({ name: "withdraw", via: "function", slot }));
}

export const expire: Arbitrary<Expire> = fc.constant({
  name: "expire",
  via: "function",
  at: EXPIRY_TIME,
});

/** Publishes among the slots that there are: in the gaps, overlapping them, or twice the same. */
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

export function id(number: number): Arbitrary<Reference> {
  return fc.constant({ id: number });
}

/**
 * Any operation, given how many of each thing a scenario begins with. `later`: it is not its client's
 * first, and may refer to what the client made. A booking may be the one that the first successful
 * create of the execution will make.
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
