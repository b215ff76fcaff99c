import type { Response } from "../../harness/index.ts";
import type { BookingState, DECLINED_ATTEMPT } from "./state.ts";

/**
 * An operation of the service. Where it exists over HTTP and as a database function, `via` chooses
 * between the two.
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
 * The sender of an operation: `customer:ID`, `vendor:PROVIDER`, or `nobody` for no token. The default is
 * a sender with the right to it: for a booking of the initial state its customer, for one that the
 * client made its creator, for any other vendor 1, and for webhooks and refunds `system:gateway`.
 */
type By = { readonly by?: string };

/**
 * Refers to a slot or a booking by `id`, or as the `own`-th (from 0) that the same client made before.
 * The ids of new objects depend on the interleaving, so a client refers to its own by their position.
 */
export type Reference = { readonly id: number } | { readonly own: number };

export type Create = By & {
  readonly name: "create";
  readonly via: Via;
  readonly slot: Reference;
  /** A provider other than the slot's, which must be refused. */
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

/** The customer returns from an attempt to pay (see `intentOf`), and the service asks the gateway. */
export type Confirm = By & {
  readonly name: "confirm";
  readonly via: "http";
  readonly booking: Reference;
  readonly attempt: 1 | 2 | typeof DECLINED_ATTEMPT;
};

/** An event of the gateway about a captured payment or a declined card. */
export type Webhook = By & {
  readonly name: "webhook";
  readonly via: Via;
  readonly booking: Reference;
  readonly attempt: 1 | 2;
  readonly captured: boolean;
};

/** Refunds every payment that is due. */
export type Refund = By & { readonly name: "refund"; readonly via: "http" };

export type Reschedule = By & {
  readonly name: "reschedule";
  readonly via: Via;
  readonly booking: Reference;
  readonly slot: Reference;
};

/** Expires the pending bookings whose hold is over at the time `at`. */
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

/** Lists the free future slots of a provider. */
export type List = { readonly name: "list"; readonly via: "http"; readonly provider: number };

/** Moves the database's clock past `SOON_DAY`, whose slots have begun then. */
export type Elapse = { readonly name: "elapse"; readonly via: "function" };

/** A slot's id, and the fields that identify it over HTTP. All are immutable. */
export interface ResolvedSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
}

type WithSlot<C> = Omit<C, "slot"> & { readonly slot: ResolvedSlot };
type WithBooking<C> = Omit<C, "booking"> & { readonly booking: number };
type Sent<C> = Omit<C, "by"> & { readonly by: string };

/** The default sender of webhooks and refunds. */
const GATEWAY = "system:gateway";

/** An operation whose references and sender are resolved, so that it can be sent. */
export type ResolvedOperation =
  | Sent<WithSlot<Create>>
  | Sent<WithBooking<Cancel>>
  | Sent<WithBooking<Confirm>>
  | Sent<WithBooking<Webhook>>
  | Sent<Refund>
  | Sent<WithSlot<WithBooking<Reschedule>>>
  | WithSlot<Withdraw>
  | Expire
  | Publish
  | List
  | Elapse;

interface OwnedBooking {
  readonly id: number;
  readonly owner: string;
}

/** The actor with the right to a create: the named provider or the customer. */
function creatorOf({ createdBy, provider, slot, customer }: WithSlot<Create>): string {
  return createdBy === "vendor" ? `vendor:${provider ?? slot.provider}` : `customer:${customer}`;
}

/** Resolves the references of the operations of one execution. */
export class References {
  readonly #slots: ReadonlyMap<number, ResolvedSlot>;
  readonly #ownSlots = new Map<number, ResolvedSlot[]>();
  readonly #owners: ReadonlyMap<number, string>;
  readonly #ownBookings = new Map<number, OwnedBooking[]>();

  constructor(initial: BookingState) {
    this.#slots = new Map(initial.slots.map((slot) => [slot.id, slot]));
    this.#owners = new Map(
      initial.bookings.map(({ id, customer }) => [id, `customer:${customer}`]),
    );
  }

  /** Returns the resolved operation, or the kind of reference that cannot be resolved. */
  resolve(operation: BookingOperation, client: number): ResolvedOperation | "slot" | "booking" {
    switch (operation.name) {
      case "withdraw": {
        const slot = this.#slot(operation.slot, client);
        return slot === undefined ? "slot" : { ...operation, slot };
      }
      case "create": {
        const slot = this.#slot(operation.slot, client);
        if (slot === undefined) return "slot";
        return { ...operation, slot, by: operation.by ?? creatorOf({ ...operation, slot }) };
      }
      case "cancel":
      case "confirm": {
        const owned = this.#booking(operation.booking, client);
        if (owned === undefined) return "booking";
        return { ...operation, booking: owned.id, by: operation.by ?? owned.owner };
      }
      case "webhook": {
        const owned = this.#booking(operation.booking, client);
        if (owned === undefined) return "booking";
        return { ...operation, booking: owned.id, by: operation.by ?? GATEWAY };
      }
      case "refund":
        return { ...operation, by: operation.by ?? GATEWAY };
      case "reschedule": {
        const owned = this.#booking(operation.booking, client);
        const slot = this.#slot(operation.slot, client);
        if (owned === undefined) return "booking";
        if (slot === undefined) return "slot";
        return { ...operation, booking: owned.id, slot, by: operation.by ?? owned.owner };
      }
      default:
        return operation;
    }
  }

  /** The operation with its sender, and with ids in place of references that can be resolved. */
  named(operation: BookingOperation, client: number): BookingOperation {
    const request = this.resolve(operation, client);
    const by = typeof request === "object" && "by" in request ? { by: request.by } : {};
    const named =
      "slot" in operation
        ? { ...operation, ...by, slot: identity(this.#slot(operation.slot, client)?.id) }
        : { ...operation, ...by };
    return "booking" in named
      ? { ...named, booking: identity(this.#booking(named.booking, client)?.id) }
      : named;
  }

  /** Records what `client` made, as the response to its operation says. */
  learn(
    client: number,
    { name, by = "" }: { readonly name: string; readonly by?: string },
    { outcome, body }: Response,
  ): void {
    if (outcome !== "ok") return;
    const made = body as { readonly [field: string]: string };
    if (name === "create") this.addBooking(client, Number(made["id"]), by);
    if (name === "publish") {
      this.addSlot(client, {
        id: Number(made["id"]),
        provider: Number(made["providerId"]),
        startAt: String(made["startAt"]),
        endAt: String(made["endAt"]),
      });
    }
  }

  /** Records that `client` made this slot. */
  addSlot(client: number, slot: ResolvedSlot): void {
    this.#ownSlots.set(client, [...(this.#ownSlots.get(client) ?? []), slot]);
  }

  /** Records that `client` made this booking, as the actor `owner`. */
  addBooking(client: number, id: number, owner: string): void {
    const own = this.#ownBookings.get(client) ?? [];
    this.#ownBookings.set(client, [...own, { id, owner }]);
  }

  #slot(reference: Reference, client: number): ResolvedSlot | undefined {
    if ("id" in reference) return this.#slots.get(reference.id);
    return this.#ownSlots.get(client)?.[reference.own];
  }

  #booking(reference: Reference, client: number): OwnedBooking | undefined {
    if ("id" in reference) {
      const { id } = reference;
      return { id, owner: this.#owners.get(id) ?? "vendor:1" };
    }
    return this.#ownBookings.get(client)?.[reference.own];
  }
}

function identity(id: number | undefined): Reference {
  return id === undefined ? { own: -1 } : { id };
}
