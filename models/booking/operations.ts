import type { DECLINED_ATTEMPT } from "./state.ts";

/**
 * What clients ask of the service, as data. Where a operation exists over HTTP and as a database
 * function, `via` says which way it goes.
 */
export type BookingOperation =
  | Create
  | Cancel
  | Confirm
  | Webhook
  | Refund
  | Reschedule
  | Expire
  | Publish
  | Withdraw
  | List
  | Elapse;

export type Via = "http" | "function";

/**
 * Who sends a operation, where it is not who has the right to: `customer:ID`, `vendor:PROVIDER`, or
 * `nobody` in particular. The right one is, for a booking that a scenario begins with, its customer;
 * for one of the client's own, who made it; for any other, vendor 1; for what the gateway and other
 * machines send, `system:gateway`.
 */
type By = { readonly by?: string };

/**
 * Names a slot or a booking: by `id`, or as the `own`-th (from 0) that the same client made before.
 * Ids of what a scenario begins with are known; those of what its operations make depend on the
 * interleaving, so that a client refers to its own by what it was answered.
 */
export type Reference = { readonly id: number } | { readonly own: number };

export type Create = By & {
  readonly name: "create";
  readonly via: Via;
  readonly slot: Reference;
  /** A provider other than the slot's own: a request that must be refused. */
  readonly provider?: number;
  readonly customer: string;
  readonly customerName: string;
  readonly notes: string;
  readonly idempotencyKey?: string;
  readonly paymentIntentId?: string;
  readonly createdBy: "customer" | "vendor";
};

export type Cancel = By & {
  readonly name: "cancel";
  readonly via: Via;
  readonly booking: Reference;
};

/**
 * The customer comes back from the gateway after a try to pay (see `intentOf`), and the service asks
 * it what became of that.
 */
export type Confirm = By & {
  readonly name: "confirm";
  readonly via: "http";
  readonly booking: Reference;
  readonly attempt: 1 | 2 | typeof DECLINED_ATTEMPT;
};

/** The gateway tells of a payment: again, late, or of a first card that was declined. */
export type Webhook = By & {
  readonly name: "webhook";
  readonly via: Via;
  readonly booking: Reference;
  readonly attempt: 1 | 2;
  readonly captured: boolean;
};

/** Gives back all that has to be. */
export type Refund = By & { readonly name: "refund"; readonly via: "http" };

export type Reschedule = By & {
  readonly name: "reschedule";
  readonly via: Via;
  readonly booking: Reference;
  readonly slot: Reference;
};

/** Ends the holds of pending bookings that are over at the time `at`. */
export type Expire = { readonly name: "expire"; readonly via: "function"; readonly at: string };

export type Publish = {
  readonly name: "publish";
  readonly via: "function";
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
};

export type Withdraw = {
  readonly name: "withdraw";
  readonly via: "function";
  readonly slot: Reference;
};

/** The free future slots of a provider. */
export type List = { readonly name: "list"; readonly via: "http"; readonly provider: number };

/** Time goes by, until the slots of `SOON_DAY` have begun. The database's clock is set by the harness. */
export type Elapse = { readonly name: "elapse"; readonly via: "function" };
