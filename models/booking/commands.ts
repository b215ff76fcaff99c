/**
 * What clients ask of the service, as data. Where a command exists over HTTP and as a database
 * function, `via` says which way it goes.
 */
export type BookingCommand =
  | Create
  | Cancel
  | Confirm
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

export type Confirm = {
  readonly name: "confirm";
  readonly via: Via;
  readonly booking: Reference;
  readonly paymentIntentId?: string;
};

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
