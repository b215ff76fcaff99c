import type { Pattern } from "../../harness/index.ts";
import type { BookingOperation, Confirm, Webhook } from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import { someOfTwoClients, bookingOf, sameBooking, operationsNamed, slotOf } from "./sent.ts";
import { type BookingState, DECLINED_ATTEMPT, LAPSED_HOLD } from "./state.ts";

/** What brings captured money to a booking. */
function payments(scenario: BookingScenario) {
  return operationsNamed(scenario, "confirm", "webhook").filter(({ operation }) =>
    operation.name === "confirm" ? operation.attempt !== DECLINED_ATTEMPT : operation.captured,
  );
}

function samePayment(scenario: BookingScenario) {
  const same = sameBooking(scenario);
  return (a: Confirm | Webhook, b: Confirm | Webhook) => same(a, b) && a.attempt === b.attempt;
}

/** Shapes in which money goes astray. "Different clients" is meant throughout. */
export const paymentPatterns: readonly Pattern<BookingState, BookingOperation>[] = [
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
    description: "Two clients tell of one payment.",
    threshold: 0.03,
    matches: (scenario) => {
      const told = operationsNamed(scenario, "confirm", "webhook");
      return someOfTwoClients(told, told, samePayment(scenario));
    },
  },
  {
    name: "payment_races_cancel",
    description: "One client pays for a booking that another cancels.",
    threshold: 0.04,
    matches: (scenario) =>
      someOfTwoClients(payments(scenario), operationsNamed(scenario, "cancel"), sameBooking(scenario)),
  },
  {
    name: "late_payment_races_create",
    description: "One client pays for an expired booking, on whose slot another creates one.",
    threshold: 0.01,
    matches: (scenario) => {
      const { initial } = scenario;
      return someOfTwoClients(payments(scenario), operationsNamed(scenario, "create"), (payment, create) => {
        const booking = bookingOf(initial, payment);
        return booking?.status === "expired" && booking.slot === slotOf(initial, create.slot)?.id;
      });
    },
  },
  {
    name: "two_refund_runs",
    description: "Two clients give back what has to be, and there is something.",
    threshold: 0.01,
    matches: (scenario) => {
      const runs = operationsNamed(scenario, "refund").filter(({ operation }) => operation.by === undefined);
      const isDue = scenario.initial.payments.some(({ status }) => status === "refund_due");
      return isDue && someOfTwoClients(runs, runs, () => true);
    },
  },
];
