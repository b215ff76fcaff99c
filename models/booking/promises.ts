import type { ServicePromise } from "../../harness/index.ts";

const invariant = (name: string) => ({ checker: "invariant", name }) as const;

const LINEARIZABLE = { checker: "linearizability", name: "linearizable" } as const;

const SLOT_LOCK = {
  name: "the lock on the slot",
  description:
    "A claim, a move and a late payment lock the slot and all overlapping ones before they read them.",
  without: [
    "strip-lock claim_slot_and_create_booking: for update of s",
    "strip-lock reschedule_booking: for update of s",
    "strip-lock record_payment: for update of s",
  ],
} as const;

const BOOKING_LOCK = {
  name: "the lock on the booking",
  description:
    "A cancel, a move, a payment and the expiry of a hold lock the booking before they read it.",
  without: [
    "strip-lock cancel_booking: for update",
    "strip-lock reschedule_booking: for update",
    "strip-lock record_payment: for update",
    "strip-lock expire_holds: for update",
  ],
} as const;

const replaced = (routine: string, text: string, becomes: string) => ({ routine, text, becomes });

/** Replaces the overlap check of a function by one that never finds a booking. */
const withoutOverlapCheck = (routine: string) => {
  const check = "b.provider_id = v_slot.provider_id";
  return replaced(routine, `where ${check}`, `where false and ${check}`);
};

const IS_ACTIVE = "if v_booking.status not in ('pending', 'confirmed') then";

/** The service's promises, and the protections in the database for each. */
export const promises: readonly ServicePromise[] = [
  {
    name: "no double booking",
    statement: "No two active bookings of a provider share any time.",
    rules: [invariant("slot_with_several_bookings"), invariant("overlapping_bookings")],
    protections: [
      SLOT_LOCK,
      {
        name: "the overlap check",
        description:
          "A claim, a move and a late payment look for active bookings that overlap the slot.",
        without: [
          withoutOverlapCheck("claim_slot_and_create_booking"),
          withoutOverlapCheck("reschedule_booking"),
          withoutOverlapCheck("record_payment"),
        ],
      },
      {
        name: "the availability mark",
        description: "A slot with an active booking is marked as taken, and refused.",
        without: [
          replaced(
            "claim_slot_and_create_booking",
            "if not v_slot.is_available or exists",
            "if exists",
          ),
          replaced("reschedule_booking", "if not v_slot.is_available or exists", "if exists"),
          replaced("record_payment", "if v_slot.is_available and", "if"),
        ],
      },
      {
        name: "the exclusion constraint",
        description: "The database refuses two active bookings that overlap.",
        without: ["drop-constraint bookings.bookings_no_overlap_provider_time"],
      },
      {
        name: "the unique index",
        description: "The database refuses two active bookings with the same start.",
        without: ["drop-index idx_bookings_provider_time_unique"],
      },
    ],
    pairs: [
      "create-http × create-function",
      "create-http × create-function, overlapping slots",
      "create-function × reschedule",
      "create-function × reschedule, overlapping slots",
      "reschedule × reschedule, of two bookings to one slot",
      "reschedule × reschedule, of two bookings to overlapping slots",
      "webhook × create-function, of the slot of an expired booking",
    ],
  },
  {
    name: "no lost slot",
    statement: "A slot is marked as taken only while an active booking holds it.",
    rules: [invariant("unavailable_slot_without_booking")],
    protections: [
      BOOKING_LOCK,
      {
        name: "the status check",
        description: "A booking that has ended is neither cancelled nor moved.",
        without: [
          replaced("cancel_booking", IS_ACTIVE, "if false then"),
          replaced("reschedule_booking", IS_ACTIVE, "if false then"),
        ],
      },
    ],
    pairs: [
      "cancel × cancel",
      "cancel × reschedule",
      "cancel × expire",
      "reschedule × expire",
      "reschedule × reschedule, of one booking to two slots",
      "cancel × create-function, of the slot that gets free",
    ],
  },
  {
    name: "no partial state",
    statement:
      "A booking, its slot and its payment always agree: the slot of an active booking is marked as " +
      "taken, and a customer's booking is confirmed if and only if it is paid.",
    rules: [
      invariant("booking_without_claimed_slot"),
      invariant("captured_payment_without_booking"),
      invariant("confirmed_booking_without_payment"),
      invariant("booking_with_several_payments"),
    ],
    protections: [
      BOOKING_LOCK,
      {
        ...SLOT_LOCK,
        description: "A claim, a move, a late payment and a withdrawal lock the slot first.",
        without: [...SLOT_LOCK.without, "strip-lock withdraw_slot: for update"],
      },
      {
        name: "the withdrawal's check",
        description: "A slot that is booked is not withdrawn.",
        without: [
          replaced(
            "withdraw_slot",
            "where slot_id = p_slot_id and status",
            "where false and status",
          ),
        ],
      },
    ],
    pairs: [
      "cancel × reschedule",
      "cancel × webhook, of a paid booking",
      "confirm × cancel",
      "confirm × expire",
      "webhook × withdraw, of the slot of an expired booking",
      "create-function × withdraw",
      "reschedule × withdraw",
    ],
  },
  {
    name: "idempotent retry",
    statement:
      "A create that is repeated with its idempotency key returns the first one's booking, and makes no other.",
    rules: [LINEARIZABLE, invariant("slot_with_several_bookings")],
    protections: [
      SLOT_LOCK,
      {
        name: "the look-up of the key",
        description: "A create first looks up the booking of its key.",
        without: [
          replaced(
            "claim_slot_and_create_booking",
            "where customer_id = p_customer_id and idempotency_key = p_idempotency_key",
            "where false",
          ),
        ],
      },
      {
        name: "the unique key",
        description: "The database refuses two bookings with one key.",
        without: [
          "drop-index idx_bookings_idempotency_key",
          replaced(
            "claim_slot_and_create_booking",
            "on conflict (customer_id, idempotency_key) where idempotency_key is not null do nothing",
            "",
          ),
        ],
      },
    ],
    pairs: [
      "create-http × retry",
      "create-function × retry",
      "create-vendor × retry",
      "retry × retry",
    ],
  },
];
