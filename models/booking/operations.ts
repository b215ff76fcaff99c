import type { Response } from "../../harness/index.ts";
import type { BookingState, DECLINED_ATTEMPT } from "./state.ts";

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

/** A slot's id, and what HTTP clients name it by. None of it ever changes. */
export interface ResolvedSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
}

type WithSlot<C> = Omit<C, "slot"> & { readonly slot: ResolvedSlot };
type WithBooking<C> = Omit<C, "booking"> & { readonly booking: number };
type Sent<C> = Omit<C, "by"> & { readonly by: string };

/** Who sends what comes from no customer or vendor. */
const GATEWAY = "system:gateway";

/** A operation whose references are resolved: what can be sent. */
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

/** A vendor books on the calendar that he names, a customer for himself. */
function creatorOf({ createdBy, provider, slot, customer }: WithSlot<Create>): string {
  return createdBy === "vendor" ? `vendor:${provider ?? slot.provider}` : `customer:${customer}`;
}

/** Knows, for one execution, what the references of its operations stand for. */
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

  /** Or what kind of thing it is that `client` refers to and that is not known. */
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

  /**
   * The operation with ids in place of what `client` made itself, and with who sends it. What is not
   * known stands for nothing.
   */
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

  /** `client` was answered to a request: it may refer to what it was told that it made. */
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

  /** `client` was told that it made this slot. */
  addSlot(client: number, slot: ResolvedSlot): void {
    this.#ownSlots.set(client, [...(this.#ownSlots.get(client) ?? []), slot]);
  }

  /** `client` was told that, as `owner`, it made the booking with this id. */
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
