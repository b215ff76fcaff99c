import { NOTHING_TO_SEND } from "./codes.ts";
import { mayChange, NOBODY } from "./model-access.ts";
import { type CorrectAnswer, answerChanged, isOwn, answerRefused, slotAnswer, slotAt } from "./model-answer.ts";
import {
  type CalendarBooking,
  type Calendar,
  isActive,
  isFree,
  isPast,
  isTaken,
  withBookings,
  withSlot,
} from "./model-calendar.ts";
import { create, reschedule } from "./model-claims.ts";
import { confirm, withRefundDue, refund, webhook } from "./model-payments.ts";
import type { BookingOperation, Publish } from "./operations.ts";

/*
 * What the booking service has to do, operation by operation: what it answers, and what the calendar is
 * afterwards, if nobody else is there at the same time. With others, the answers have to be those
 * of some order in which the operations could have come one after the other.
 */

/**
 * The answer to a operation. `id` is the one that the service chose for what it makes, if it makes
 * something.
 */
export function answer(calendar: Calendar, operation: BookingOperation, id: number): CorrectAnswer {
  switch (operation.name) {
    // Who gets a slot, and when (model-claims.ts).
    case "create":
      return create(calendar, operation, id);

    // How bookings are paid (model-payments.ts).
    case "confirm":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return confirm(calendar, operation.booking.id, operation);

    case "webhook":
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      return webhook(calendar, operation.booking.id, operation);

    case "refund":
      return refund(calendar, operation);

    // An active booking ends, its slot can be had again, and its payment has to be given back. It
    // ends once: a second cancel is refused.
    case "cancel": {
      if (isOwn(operation.booking)) return answerRefused(NOTHING_TO_SEND.booking, calendar);
      const { by, via } = operation;
      if (via === "http" && by === NOBODY) return answerRefused("UNAUTHENTICATED", calendar);
      const booking = calendar.bookings.get(operation.booking.id);
      if (booking === undefined) return answerRefused("BOOKING_NOT_FOUND", calendar);
      if (!mayChange(booking, by)) return answerRefused("FORBIDDEN", calendar);
      if (!isActive(booking)) return answerRefused("BOOKING_NOT_ACTIVE", calendar);
      return answerChanged("CANCELLED", withRefundDue(calendar, booking.id), { ...booking, status: "cancelled" });
    }

    case "reschedule":
      return reschedule(calendar, operation);

    // Every pending booking whose hold is over by then ends, and its slot can be had again. The
    // answer is how many they were.
    case "expire": {
      const over = [...calendar.bookings.values()].filter(
        ({ status, holdExpiresAt }) =>
          status === "pending" && holdExpiresAt !== null && holdExpiresAt <= operation.at,
      );
      const expired = over.map((booking): CalendarBooking => ({ ...booking, status: "expired" }));
      return {
        code: "EXPIRED",
        body: { expired: over.length },
        after: withBookings(calendar, ...expired),
      };
    }

    case "publish":
      return publish(calendar, operation, id);

    // A provider takes back a slot that nobody has. To take it back twice is to take it back once.
    case "withdraw": {
      if (isOwn(operation.slot)) return answerRefused(NOTHING_TO_SEND.slot, calendar);
      const slot = calendar.slots.get(operation.slot.id);
      if (slot === undefined) return answerRefused("SLOT_NOT_FOUND", calendar);
      if (isTaken(calendar, slot)) return answerRefused("SLOT_HAS_BOOKING", calendar);
      const after = slot.withdrawn ? calendar : withSlot(calendar, { ...slot, withdrawn: true });
      return { code: "WITHDRAWN", body: slotAnswer(slot), after };
    }

    // The slots of a provider that a create would get, in order of time.
    case "list": {
      const free = [...calendar.slots.values()]
        .filter((slot) => slot.provider === operation.provider && !isPast(calendar, slot))
        .filter((slot) => isFree(calendar, slot))
        .sort((a, b) => inOrder(a.startAt, b.startAt) || inOrder(a.endAt, b.endAt));
      return { code: "SLOTS", body: free.map(slotAnswer), after: calendar };
    }

    // Some slots begin.
    case "elapse":
      return { code: "ELAPSED", body: null, after: { ...calendar, late: true } };
  }
}

/**
 * A provider offers a time. One that is offered already stays as it is, booked or not; one that was
 * withdrawn is offered again.
 */
function publish(calendar: Calendar, { provider, startAt, endAt }: Publish, id: number): CorrectAnswer {
  const before = slotAt(calendar, { provider, startAt, endAt });
  if (before !== undefined && !before.withdrawn) {
    return { code: "PUBLISHED", body: slotAnswer(before), after: calendar };
  }
  const slot = { ...(before ?? { id, provider, startAt, endAt }), withdrawn: false };
  return {
    code: "PUBLISHED",
    body: slotAnswer(slot),
    after: withSlot(calendar, slot),
    ...(before === undefined && { makes: "slots" }),
  };
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
