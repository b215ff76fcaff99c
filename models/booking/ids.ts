import type { IdFields } from "../../harness/index.ts";

const BOOKING = { id: "booking", slotId: "slot", paymentIntentId: "payment" };
const SLOT = { id: "slot" };

/**
 * Where ids stand that the service generates, in states, operations, answers and tables. Those of
 * payments are made of the booking's.
 */
export const ids: IdFields = {
  booking: { id: "booking" },
  slot: SLOT,
  slots: SLOT,
  create: BOOKING,
  cancel: BOOKING,
  confirm: BOOKING,
  reschedule: BOOKING,
  publish: SLOT,
  withdraw: SLOT,
  list: SLOT,
  availability_slots: SLOT,
  bookings: {
    id: "booking",
    slot: "slot",
    slot_id: "slot",
    idempotency_slot_id: "slot",
    payment_intent_id: "payment",
  },
  payments: { intent: "payment", booking: "booking", booking_id: "booking" },
};
