import type { Response } from "../../harness/index.ts";
import type {
  BookingOperation,
  Cancel,
  Confirm,
  Create,
  Elapse,
  Expire,
  List,
  Publish,
  Reference,
  Refund,
  Reschedule,
  Webhook,
  Withdraw,
} from "./operations.ts";
import type { BookingState } from "./state.ts";

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
