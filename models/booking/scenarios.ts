import fc, { type Arbitrary } from "fast-check";
import type { Bounds, DefinedScenario, Generate, Operation } from "../../harness/index.ts";
import { BOOKING, SLOT } from "./calendar.ts";

/** Conflicting operations with which a scenario begins, distributed over the clients in turn. */
interface Race {
  /** The relative frequency. */
  readonly weight: number;
  readonly operations: Arbitrary<readonly Operation[]>;
}

type Booking = (typeof BOOKING)[keyof typeof BOOKING];
type Named = { readonly id: number };

const { pending, confirmed, lapsed, expired, refund } = BOOKING;

/**
 * Under a uniform choice of operations most conflicts are too rare (crossing reschedules: 0.2 % of
 * scenarios), so each scenario starts with one.
 */
function races(generate: Generate): readonly Race[] {
  const either = (name: string, fixed: object) =>
    fc.oneof(generate(name, { ...fixed }), generate(`${name}Directly`, { ...fixed }));
  const create = (slot: Named) => either("create", { slot: slot.id, provider: null });
  const cancel = (booking: Named) => either("cancel", { booking: booking.id });
  const move = (booking: Named, slot: Named) =>
    either("reschedule", { booking: booking.id, slot: slot.id });
  const pay = ({ id: booking }: Named) =>
    fc.oneof(
      either("webhook", { booking }),
      either("webhook", { booking }),
      generate("confirm", { booking }),
    );
  const withdraw = ({ id: slot }: Named) => generate("withdraw", { slot });
  const [expire, refunds] = [generate("expire"), generate("refund")];
  const active = fc.constantFrom(pending, confirmed, lapsed);
  /** With a booking that each operation concerns. */
  const on = (
    bookings: Arbitrary<Booking>,
    operations: (booking: Booking) => Arbitrary<Operation>[],
  ) => bookings.chain((booking) => fc.tuple(...operations(booking)));
  /** Two creates with one key: mostly the same request, sometimes for another slot. */
  const repeated = fc
    .tuple(create(SLOT.free), fc.constantFrom(SLOT.free, SLOT.free, SLOT.foreignFree), fc.boolean())
    .map(([first, { id }, isDirect]) => {
      const keyed = { ...first, idempotencyKey: "key-1" };
      const { as: _, ...values } = { as: undefined, ...keyed };
      const again = isDirect
        ? { ...values, name: "createDirectly" }
        : { ...values, name: "create", as: "creator" };
      return [keyed, { ...again, slot: id } as Operation];
    });
  const oneOf = fc.oneof;
  return [
    { weight: 2, operations: fc.constant([]) },
    { weight: 4, operations: fc.tuple(create(SLOT.free), create(SLOT.free)) },
    { weight: 3, operations: fc.tuple(create(SLOT.free), create(SLOT.besideFree)) },
    { weight: 1, operations: fc.tuple(create(SLOT.free), create(SLOT.expired)) },
    {
      weight: 1,
      operations: fc.tuple(create(SLOT.free), either("reschedule", { slot: SLOT.besideFree.id })),
    },
    { weight: 3, operations: fc.tuple(move(confirmed, SLOT.lapsed), move(lapsed, SLOT.confirmed)) },
    {
      weight: 2,
      operations: on(active, (it) => [
        move(it, SLOT.free),
        oneOf(
          cancel(it),
          generate("confirm", { booking: it.id }),
          create(SLOT.free),
          create(it.slot),
          move(it, SLOT.free),
        ),
      ]),
    },
    {
      weight: 3,
      operations: on(active, (it) => [move(it, SLOT.free), cancel(it), move(it, SLOT.refund)]),
    },
    {
      weight: 4,
      operations: on(active, (it) => [
        cancel(it),
        oneOf(cancel(it), create(it.slot), generate("confirm", { booking: it.id })),
      ]),
    },
    { weight: 3, operations: on(active, (it) => [cancel(it), cancel(it), create(it.slot)]) },
    { weight: 3, operations: repeated },
    {
      weight: 1,
      operations: fc.tuple(create(SLOT.past), oneOf(create(SLOT.past), create(SLOT.free))),
    },
    { weight: 2, operations: fc.tuple(withdraw(SLOT.free), create(SLOT.free)) },
    {
      weight: 4,
      operations: fc.tuple(
        expire,
        oneOf(pay(lapsed), pay(lapsed), cancel(lapsed), create(lapsed.slot)),
        create(lapsed.slot),
      ),
    },
    {
      weight: 3,
      operations: on(fc.constantFrom(pending, lapsed), (it) => [
        pay(it),
        oneOf(pay(it), cancel(it)),
        pay(it),
      ]),
    },
    {
      weight: 2,
      operations: fc.tuple(
        pay(expired),
        oneOf(create(expired.slot), create(expired.slot), pay(expired)),
      ),
    },
    {
      weight: 3,
      operations: on(fc.constantFrom(confirmed, refund), (it) => [
        refunds,
        oneOf(refunds, cancel(it)),
        oneOf(refunds, pay(it)),
      ]),
    },
  ];
}

/** Any operation. Those that race most are the most frequent. */
function anyOperation(generate: Generate): Arbitrary<Operation> {
  const weighted = (weight: number, ...names: readonly string[]) => ({
    weight,
    arbitrary: fc.oneof(...names.map((name) => generate(name))),
  });
  return fc.oneof(
    weighted(5, "create", "createDirectly"),
    weighted(3, "cancel", "cancelDirectly"),
    weighted(3, "reschedule", "rescheduleDirectly"),
    weighted(2, "webhook", "webhookDirectly"),
    ...["confirm", "refund", "withdraw", "expire", "publish", "list"].map((name) =>
      weighted(1, name),
    ),
  );
}

/** The numbers of operations of a client. Small numbers keep executions short. */
const OPERATIONS_PER_CLIENT = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3] as const;

/** The most operations that change the calendar before the clients begin. */
const MOST_PREFIX = 3;

/**
 * Small scenarios in which races are likely, a part of them in a calendar that other operations have changed.
 * fast-check's bias towards small values is off: it depends on how many values were drawn before, and would
 * change the frequencies of the races.
 */
export function scenarios(
  { minClients, maxClients }: Bounds,
  generate: Generate,
): Arbitrary<DefinedScenario> {
  const counts = Array.from({ length: maxClients - minClients + 1 }, (_, at) => minClients + at);
  const sizes = counts.map((count) => ({
    weight: maxClients - count + 1,
    arbitrary: fc.array(fc.constantFrom(...OPERATIONS_PER_CLIENT), {
      minLength: count,
      maxLength: count,
    }),
  }));
  const raced = races(generate).map(({ weight, operations: arbitrary }) => ({ weight, arbitrary }));
  const any = anyOperation(generate);
  const prefix = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(any, { minLength: 1, maxLength: MOST_PREFIX }) },
  );
  const scenario = fc
    .tuple(fc.oneof(...sizes), fc.oneof(...raced), prefix)
    .chain(([clients, operations, prefix]) => {
      const all = clients.map((count, client) => {
        const own = operations.filter((_, at) => at % clients.length === client);
        const others = Array.from({ length: Math.max(0, count - own.length) }, () => any);
        return fc.tuple(...others).map((rest) => [...own, ...rest]);
      });
      return fc.tuple(...all).map((own) => ({ initial: { prefix }, clients: own }));
    });
  return fc.noBias(scenario);
}
