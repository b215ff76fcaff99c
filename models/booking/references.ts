import type {
  BookingCommand,
  Cancel,
  Confirm,
  Create,
  Expire,
  List,
  Publish,
  Reference,
  Refund,
  Reschedule,
  Webhook,
  Withdraw,
} from "./commands.ts";
import type { BookingState } from "./state.ts";

/** A slot's id, and what HTTP clients name it by. None of it ever changes. */
export interface KnownSlot {
  readonly id: number;
  readonly provider: number;
  readonly startAt: string;
  readonly endAt: string;
}

type WithSlot<C> = Omit<C, "slot"> & { readonly slot: KnownSlot };
type WithBooking<C> = Omit<C, "booking"> & { readonly booking: number };

/** A command whose references are resolved: what can be sent. */
export type Request =
  | WithSlot<Create>
  | WithBooking<Cancel>
  | WithBooking<Confirm>
  | WithBooking<Webhook>
  | Refund
  | WithSlot<WithBooking<Reschedule>>
  | WithSlot<Withdraw>
  | Expire
  | Publish
  | List;

/** Knows, for one execution, what the references of its commands stand for. */
export class References {
  readonly #slots: ReadonlyMap<number, KnownSlot>;
  readonly #ownSlots = new Map<number, KnownSlot[]>();
  readonly #ownBookings = new Map<number, number[]>();

  constructor(initial: BookingState) {
    this.#slots = new Map(initial.slots.map((slot) => [slot.id, slot]));
  }

  /** Or what kind of thing it is that `client` refers to and that is not known. */
  resolve(command: BookingCommand, client: number): Request | "slot" | "booking" {
    switch (command.name) {
      case "create":
      case "withdraw": {
        const slot = this.#slot(command.slot, client);
        return slot === undefined ? "slot" : { ...command, slot };
      }
      case "cancel":
      case "confirm":
      case "webhook": {
        const booking = this.#booking(command.booking, client);
        return booking === undefined ? "booking" : { ...command, booking };
      }
      case "reschedule": {
        const booking = this.#booking(command.booking, client);
        const slot = this.#slot(command.slot, client);
        if (booking === undefined) return "booking";
        return slot === undefined ? "slot" : { ...command, booking, slot };
      }
      default:
        return command;
    }
  }

  /** `client` was told that it made this slot. */
  addSlot(client: number, slot: KnownSlot): void {
    this.#ownSlots.set(client, [...(this.#ownSlots.get(client) ?? []), slot]);
  }

  /** `client` was told that it made the booking with this id. */
  addBooking(client: number, id: number): void {
    this.#ownBookings.set(client, [...(this.#ownBookings.get(client) ?? []), id]);
  }

  #slot(reference: Reference, client: number): KnownSlot | undefined {
    if ("id" in reference) return this.#slots.get(reference.id);
    return this.#ownSlots.get(client)?.[reference.own];
  }

  #booking(reference: Reference, client: number): number | undefined {
    if ("id" in reference) return reference.id;
    return this.#ownBookings.get(client)?.[reference.own];
  }
}
