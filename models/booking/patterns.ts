import type { Pattern } from "../../harness/index.ts";
import type { BookingOperation, Create, Reschedule } from "./operations.ts";
import { paymentPatterns } from "./payment-patterns.ts";
import type { BookingScenario } from "./scenarios.ts";
import { someOfTwoClients, bookingOf, sameBooking, operationsNamed, slotOf } from "./sent.ts";
import { adjacent, type BookingState, isPast, overlap, type InitialSlot } from "./state.ts";

/** The slots that two claims are for, related so. A claim at a wrong provider, or for somebody else, is none. */
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

function claimsRelated(scenario: BookingScenario, related: (a: InitialSlot, b: InitialSlot) => boolean): boolean {
  const claims = operationsNamed(scenario, "create", "reschedule");
  return someOfTwoClients(claims, claims, slotsOfClaims(scenario, related));
}

/** Shapes in which races live. "Different clients" is meant throughout. */
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
      someOfTwoClients(operationsNamed(scenario, "reschedule"), operationsNamed(scenario, "cancel"), sameBooking(scenario)),
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
      return someOfTwoClients(operationsNamed(scenario, "cancel"), operationsNamed(scenario, "create"), (cancel, create) => {
        const booking = bookingOf(initial, cancel);
        return booking !== undefined && booking.slot === slotOf(initial, create.slot)?.id;
      });
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
      return someOfTwoClients(operationsNamed(scenario, "withdraw"), operationsNamed(scenario, "create"), (withdraw, create) => {
        const slot = slotOf(initial, withdraw.slot);
        return slot !== undefined && slot === slotOf(initial, create.slot);
      });
    },
  },
  {
    name: "strangers_change",
    description: "A stranger changes a booking that another client changes too.",
    threshold: 0.02,
    matches: (scenario) => {
      const { initial } = scenario;
      const changes = operationsNamed(scenario, "cancel", "confirm", "reschedule");
      const foreign = changes.filter(({ operation }) => operation.by !== undefined);
      return someOfTwoClients(foreign, changes, (a, b) => {
        const { by: _, ...rightful } = a;
        const booking = bookingOf(initial, rightful);
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
