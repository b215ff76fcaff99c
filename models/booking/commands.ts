/**
 * What clients ask of the service, as data. Where a command exists over HTTP and as a database
 * function, `via` says which way it goes.
 */
export type BookingCommand =
  | Create
  | Cancel
  | Confirm
  | Webhook
  | Refund
  | Reschedule
  | Expire
  | Publish
  | Withdraw
  | List;

export type Via = "http" | "function";

/**
 * Names a slot or a booking: by `id`, or as the `own`-th (from 0) that the same client made before.
 * Ids of what a scenario begins with are known; those of what its commands make depend on the
 * interleaving, so that a client refers to its own by what it was answered.
 */
export type Reference = { readonly id: number } | { readonly own: number };

export type Create = {
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

export type Cancel = { readonly name: "cancel"; readonly via: Via; readonly booking: Reference };

/** A try to pay a booking (see `intentOf`), and what it came to at the gateway. */
type Attempt = {
  readonly booking: Reference;
  readonly attempt: 1 | 2;
  readonly captured: boolean;
};

/** The customer comes back from the gateway, and the service asks it what became of the payment. */
export type Confirm = Attempt & { readonly name: "confirm"; readonly via: "http" };

/** The gateway tells of a payment: again, late, or in the wrong order. */
export type Webhook = Attempt & { readonly name: "webhook"; readonly via: Via };

/** Gives back all that has to be. */
export type Refund = { readonly name: "refund"; readonly via: "http" };

export type Reschedule = {
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
