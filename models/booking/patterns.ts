import type { Pattern } from "../../harness/index.ts";
import type {
  BookingOperation,
  Confirm,
  Create,
  Reference,
  Reschedule,
  Webhook,
} from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import {
  adjacent,
  type BookingState,
  DECLINED_ATTEMPT,
  type InitialBooking,
  type InitialSlot,
  isPast,
  LAPSED_HOLD,
  overlap,
} from "./state.ts";

type Named<N extends BookingOperation["name"]> = Extract<BookingOperation, { readonly name: N }>;
/** An operation that concerns a booking. */
export type BookingChange = Named<"cancel" | "confirm" | "webhook" | "reschedule">;

/** An operation and the client that sends it. */
export type ClientOperation<C extends BookingOperation = BookingOperation> = {
  readonly client: number;
  readonly operation: C;
};

function operationsNamed<N extends BookingOperation["name"]>(
  scenario: BookingScenario,
  ...names: readonly N[]
): ClientOperation<Named<N>>[] {
  const isNamed = (operation: BookingOperation): operation is Named<N> =>
    names.some((name) => name === operation.name);
  return scenario.clients.flatMap((operations, client) =>
    operations.filter(isNamed).map((operation) => ({ client, operation })),
  );
}

/** Whether two operations of different clients are related. */
function someOfTwoClients<A extends BookingOperation, B extends BookingOperation>(
  first: readonly ClientOperation<A>[],
  second: readonly ClientOperation<B>[],
  related: (a: A, b: B) => boolean,
): boolean {
  return first.some((a) =>
    second.some((b) => a.client !== b.client && related(a.operation, b.operation)),
  );
}

function slotOf(initial: BookingState, reference: Reference): InitialSlot | undefined {
  return "id" in reference ? initial.slots.find((slot) => slot.id === reference.id) : undefined;
}

/** The booking that an operation concerns; undefined if its sender has no right to it. */
function bookingOf(initial: BookingState, operation: BookingChange): InitialBooking | undefined {
  const { booking: reference, by } = operation;
  if (!("id" in reference)) return undefined;
  const booking = initial.bookings.find(({ id }) => id === reference.id);
  if (booking === undefined || by === undefined) return booking;
  const provider = initial.slots.find(({ id }) => id === booking.slot)?.provider;
  const owners = [`customer:${booking.customer}`, `vendor:${provider}`];
  return operation.name !== "webhook" && owners.includes(by) ? booking : undefined;
}

function sameBooking({
  initial,
}: BookingScenario): (a: BookingChange, b: BookingChange) => boolean {
  return (a, b) => {
    const booking = bookingOf(initial, a);
    return booking !== undefined && booking === bookingOf(initial, b);
  };
}

/** The operations that report a captured payment. */
function payments(scenario: BookingScenario) {
  return operationsNamed(scenario, "confirm", "webhook").filter(({ operation }) =>
    operation.name === "confirm" ? operation.attempt !== DECLINED_ATTEMPT : operation.captured,
  );
}

function samePayment(scenario: BookingScenario) {
  const same = sameBooking(scenario);
  return (a: Confirm | Webhook, b: Confirm | Webhook) => same(a, b) && a.attempt === b.attempt;
}

/** Shapes of scenarios in which payments race. The operations are those of different clients. */
const paymentPatterns: readonly Pattern<BookingState, BookingOperation>[] = [
  {
    name: "expire_races_payment",
    description: "One client expires holds while another pays for a booking whose hold is over.",
    threshold: 0.025,
    matches: (scenario) =>
      someOfTwoClients(
        operationsNamed(scenario, "expire"),
        payments(scenario),
        (_, payment) => bookingOf(scenario.initial, payment)?.holdExpiresAt === LAPSED_HOLD,
      ),
  },
  {
    name: "repeated_payment_event",
    description: "Two clients report one payment.",
    threshold: 0.03,
    matches: (scenario) => {
      const reports = operationsNamed(scenario, "confirm", "webhook");
      return someOfTwoClients(reports, reports, samePayment(scenario));
    },
  },
  {
    name: "payment_races_cancel",
    description: "One client pays for a booking that another cancels.",
    threshold: 0.04,
    matches: (scenario) =>
      someOfTwoClients(
        payments(scenario),
        operationsNamed(scenario, "cancel"),
        sameBooking(scenario),
      ),
  },
  {
    name: "late_payment_races_create",
    description: "One client pays for an expired booking, on whose slot another creates one.",
    threshold: 0.01,
    matches: (scenario) => {
      const { initial } = scenario;
      return someOfTwoClients(
        payments(scenario),
        operationsNamed(scenario, "create"),
        (payment, create) => {
          const booking = bookingOf(initial, payment);
          return booking?.status === "expired" && booking.slot === slotOf(initial, create.slot)?.id;
        },
      );
    },
  },
  {
    name: "two_refund_runs",
    description: "Two clients settle refunds while a payment is due.",
    threshold: 0.01,
    matches: (scenario) => {
      const runs = operationsNamed(scenario, "refund").filter(
        ({ operation }) => operation.by === undefined,
      );
      const isDue = scenario.initial.payments.some(({ status }) => status === "refund_due");
      return isDue && someOfTwoClients(runs, runs, () => true);
    },
  },
];

/** Whether the slots of two claims are related. Claims with a wrong provider or sender do not count. */
function slotsOfClaims(
  { initial }: BookingScenario,
  related: (a: InitialSlot, b: InitialSlot) => boolean,
): (a: Create | Reschedule, b: Create | Reschedule) => boolean {
  const claimed = (claim: Create | Reschedule): InitialSlot | undefined =>
    claim.name === "create" && (claim.provider !== undefined || claim.by !== undefined)
      ? undefined
      : slotOf(initial, claim.slot);
  return (a, b) => {
    const slots = [claimed(a), claimed(b)] as const;
    return slots[0] !== undefined && slots[1] !== undefined && related(slots[0], slots[1]);
  };
}

function claimsRelated(
  scenario: BookingScenario,
  related: (a: InitialSlot, b: InitialSlot) => boolean,
): boolean {
  const claims = operationsNamed(scenario, "create", "reschedule");
  return someOfTwoClients(claims, claims, slotsOfClaims(scenario, related));
}

/** Shapes of scenarios in which races occur. The operations are those of different clients. */
export const patterns: readonly Pattern<BookingState, BookingOperation>[] = [
  {
    name: "contended_slot",
    description: "Two clients create bookings on one slot, or on overlapping ones.",
    threshold: 0.2,
    matches: (scenario) => {
      const creates = operationsNamed(scenario, "create");
      return someOfTwoClients(
        creates,
        creates,
        slotsOfClaims(scenario, (a, b) => a === b || overlap(a, b)),
      );
    },
  },
  {
    name: "overlapping_slots",
    description: "Two clients claim different slots of one provider that overlap.",
    threshold: 0.06,
    matches: (scenario) => claimsRelated(scenario, overlap),
  },
  {
    name: "adjacent_slots",
    description: "Two clients claim slots of one provider that touch.",
    threshold: 0.07,
    matches: (scenario) => claimsRelated(scenario, adjacent),
  },
  {
    name: "same_booking",
    description: "Two clients change one booking.",
    threshold: 0.22,
    matches: (scenario) => {
      const changes = operationsNamed(scenario, "cancel", "confirm", "webhook", "reschedule");
      return someOfTwoClients(changes, changes, sameBooking(scenario));
    },
  },
  {
    name: "crossing_reschedules",
    description: "Two clients move two bookings, each to the other's slot.",
    threshold: 0.05,
    matches: (scenario) => {
      const moves = operationsNamed(scenario, "reschedule");
      const { initial } = scenario;
      const onto = (a: Reschedule, b: Reschedule): boolean =>
        bookingOf(initial, b)?.slot === slotOf(initial, a.slot)?.id;
      const differ = (a: Reschedule, b: Reschedule): boolean =>
        bookingOf(initial, a) !== undefined &&
        bookingOf(initial, b) !== undefined &&
        bookingOf(initial, a)?.slot !== bookingOf(initial, b)?.slot;
      return someOfTwoClients(moves, moves, (a, b) => differ(a, b) && onto(a, b) && onto(b, a));
    },
  },
  {
    name: "reschedule_and_cancel_same_booking",
    description: "One client moves a booking that another cancels.",
    threshold: 0.08,
    matches: (scenario) =>
      someOfTwoClients(
        operationsNamed(scenario, "reschedule"),
        operationsNamed(scenario, "cancel"),
        sameBooking(scenario),
      ),
  },
  {
    name: "two_reschedules_and_cancel",
    description: "Two moves and a cancellation of one booking, not all by one client.",
    threshold: 0.05,
    matches: (scenario) => {
      const moves = operationsNamed(scenario, "reschedule");
      const same = sameBooking(scenario);
      return operationsNamed(scenario, "cancel").some((cancel) => {
        const related = moves.filter((move) => same(move.operation, cancel.operation));
        return related.length >= 2 && related.some((move) => move.client !== cancel.client);
      });
    },
  },
  {
    name: "double_cancel",
    description: "Two clients cancel one booking.",
    threshold: 0.08,
    matches: (scenario) => {
      const cancels = operationsNamed(scenario, "cancel");
      return someOfTwoClients(cancels, cancels, sameBooking(scenario));
    },
  },
  {
    name: "cancel_and_create_same_slot",
    description: "One client cancels the booking of a slot on which another creates one.",
    threshold: 0.08,
    matches: (scenario) => {
      const { initial } = scenario;
      return someOfTwoClients(
        operationsNamed(scenario, "cancel"),
        operationsNamed(scenario, "create"),
        (cancel, create) => {
          const booking = bookingOf(initial, cancel);
          return booking !== undefined && booking.slot === slotOf(initial, create.slot)?.id;
        },
      );
    },
  },
  {
    name: "repeated_idempotency_key",
    description: "Two clients create with the same customer's same idempotency key.",
    threshold: 0.05,
    matches: (scenario) => {
      const creates = operationsNamed(scenario, "create");
      return someOfTwoClients(
        creates,
        creates,
        (a, b) =>
          a.idempotencyKey !== undefined &&
          a.idempotencyKey === b.idempotencyKey &&
          a.customer === b.customer,
      );
    },
  },
  {
    name: "past_slot",
    description: "A client claims a slot in the past.",
    threshold: 0.03,
    matches: (scenario) =>
      operationsNamed(scenario, "create", "reschedule").some(({ operation }) => {
        const slot = slotOf(scenario.initial, operation.slot);
        return slot !== undefined && isPast(slot);
      }),
  },
  {
    name: "withdraw_races_create",
    description: "One client withdraws a slot on which another creates a booking.",
    threshold: 0.05,
    matches: (scenario) => {
      const { initial } = scenario;
      return someOfTwoClients(
        operationsNamed(scenario, "withdraw"),
        operationsNamed(scenario, "create"),
        (withdraw, create) => {
          const slot = slotOf(initial, withdraw.slot);
          return slot !== undefined && slot === slotOf(initial, create.slot);
        },
      );
    },
  },
  {
    name: "strangers_change",
    description: "A client without the right changes a booking that another client changes too.",
    threshold: 0.02,
    matches: (scenario) => {
      const { initial } = scenario;
      const changes = operationsNamed(scenario, "cancel", "confirm", "reschedule");
      const foreign = changes.filter(({ operation }) => operation.by !== undefined);
      return someOfTwoClients(foreign, changes, (a, b) => {
        const { by: _, ...withoutSender } = a;
        const booking = bookingOf(initial, withoutSender);
        return (
          booking !== undefined &&
          bookingOf(initial, a) === undefined &&
          bookingOf(initial, b) === booking
        );
      });
    },
  },
  ...paymentPatterns,
];
