import type { Slot } from "../../../src/booking.ts";
import type { BookingMutant } from "./mutant.ts";

type Taken = Pick<Slot, "startAt" | "endAt">;

const SLOTS = `
  select id, provider_id as "providerId", start_at as "startAt", end_at as "endAt"
    from availability_slots
   where provider_id = $1 and is_available and start_at > now()
   order by start_at, end_at`;

const TAKEN = `
  select start_at as "startAt", end_at as "endAt"
    from bookings
   where provider_id = $1 and status in ('pending', 'confirmed')`;

/** Free slots and bookings are read by two queries. */
export const listInTwoQueries: BookingMutant = {
  name: "list-in-two-queries",
  origin:
    "One query with an anti-join was slow, and became two with a loop. A booking that moves " +
    "between them hides both its old and its new slot.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  store: (store, pool) => ({
    ...store,
    async freeSlots(providerId) {
      const slots = await pool.query<Slot>(SLOTS, [providerId]);
      const { rows: taken } = await pool.query<Taken>(TAKEN, [providerId]);
      const overlaps = (slot: Slot) => (booking: Taken) =>
        booking.startAt < slot.endAt && slot.startAt < booking.endAt;
      return slots.rows.filter((slot) => !taken.some(overlaps(slot)));
    },
  }),
};
