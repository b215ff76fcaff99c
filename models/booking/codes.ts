import type { BookingOperation } from "./operations.ts";

/** A operation named what its client never made, so that nothing was sent. */
export const NOTHING_TO_SEND = { booking: "NO_BOOKING", slot: "NO_SLOT" } as const;

const { booking: NO_BOOKING, slot: NO_SLOT } = NOTHING_TO_SEND;

/** What a foreign request is told. */
const STRANGERS = ["UNAUTHENTICATED", "FORBIDDEN"] as const;

/** Every code that the service may answer with. Any other is a violation of its contract. */
export const codes: { readonly [name in BookingOperation["name"]]: readonly string[] } = {
  create: [
    "CREATED",
    "BOOKING_CONFLICT",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    "IDEMPOTENCY_KEY_REUSED",
    ...STRANGERS,
    NO_SLOT,
  ],
  cancel: ["CANCELLED", "BOOKING_NOT_FOUND", "BOOKING_NOT_ACTIVE", ...STRANGERS, NO_BOOKING],
  confirm: [
    "CONFIRMED",
    "BOOKING_NOT_FOUND",
    "PAYMENT_REQUIRED",
    "PAYMENT_REFUNDED",
    ...STRANGERS,
    NO_BOOKING,
  ],
  webhook: ["RECORDED", "BOOKING_NOT_FOUND", ...STRANGERS, NO_BOOKING],
  refund: ["SETTLED", ...STRANGERS],
  reschedule: [
    "RESCHEDULED",
    "BOOKING_CONFLICT",
    "BOOKING_NOT_FOUND",
    "BOOKING_NOT_ACTIVE",
    "SLOT_NOT_FOUND",
    "SLOT_PROVIDER_MISMATCH",
    "SLOT_IN_PAST",
    ...STRANGERS,
    NO_BOOKING,
    NO_SLOT,
  ],
  expire: ["EXPIRED"],
  publish: ["PUBLISHED"],
  withdraw: ["WITHDRAWN", "SLOT_NOT_FOUND", "SLOT_HAS_BOOKING", NO_SLOT],
  list: ["SLOTS"],
  elapse: ["ELAPSED"],
};
