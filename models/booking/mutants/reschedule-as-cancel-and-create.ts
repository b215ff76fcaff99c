import type { Slot } from "../../../src/booking.ts";
import { ServiceError } from "../../../src/errors.ts";
import { findActive } from "./by-hand.ts";
import type { BookingMutant } from "./mutant.ts";

const FIND_SLOT = `
  select id, provider_id as "providerId", start_at as "startAt", end_at as "endAt"
    from availability_slots where id = $1`;

/** A reschedule cancels the booking and creates another one. */
export const rescheduleAsCancelAndCreate: BookingMutant = {
  name: "reschedule-as-cancel-and-create",
  origin:
    "A cancel and a create existed, so a reschedule needed no code of its own. If the new " +
    "slot is taken, the customer has no booking left.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  store: (store, pool) => ({
    ...store,
    async rescheduleBooking(bookingId, slotId, actor) {
      const { customerId, customerName, notes, createdBy } = await findActive(
        pool,
        bookingId,
        actor,
      );
      const { rows } = await pool.query<Slot>(FIND_SLOT, [slotId]);
      const [slot] = rows;
      if (slot === undefined) throw new ServiceError("SLOT_NOT_FOUND", "Slot not found", "");
      await store.cancelBooking(bookingId, actor);
      const { booking } = await store.createBooking({
        providerId: slot.providerId,
        startAt: slot.startAt.toISOString(),
        endAt: slot.endAt.toISOString(),
        customerId,
        customerName,
        ...(notes !== null && { notes }),
        createdBy,
      });
      return booking;
    },
  }),
};
