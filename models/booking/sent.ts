import type { BookingCommand, Reference } from "./commands.ts";
import type { BookingScenario } from "./scenarios.ts";
import type { Booking, BookingState, Slot } from "./state.ts";

type Named<N extends BookingCommand["name"]> = Extract<BookingCommand, { readonly name: N }>;
/** A command that is about a booking. */
export type OnBooking = Named<"cancel" | "confirm" | "webhook" | "reschedule">;

/** A command together with the client that sends it. */
export type Sent<C extends BookingCommand = BookingCommand> = {
  readonly client: number;
  readonly command: C;
};

export function sent<N extends BookingCommand["name"]>(
  scenario: BookingScenario,
  ...names: readonly N[]
): Sent<Named<N>>[] {
  const isNamed = (command: BookingCommand): command is Named<N> =>
    names.some((name) => name === command.name);
  return scenario.clients.flatMap((commands, client) =>
    commands.filter(isNamed).map((command) => ({ client, command })),
  );
}

/** Whether commands of two different clients are related so. */
export function between<A extends BookingCommand, B extends BookingCommand>(
  first: readonly Sent<A>[],
  second: readonly Sent<B>[],
  related: (a: A, b: B) => boolean,
): boolean {
  return first.some((a) =>
    second.some((b) => a.client !== b.client && related(a.command, b.command)),
  );
}

export function slotOf(initial: BookingState, reference: Reference): Slot | undefined {
  return "id" in reference ? initial.slots.find((slot) => slot.id === reference.id) : undefined;
}

/** The booking that a command is about; none if its sender has no right to it. */
export function bookingOf(initial: BookingState, command: OnBooking): Booking | undefined {
  const { booking: reference, by } = command;
  if (!("id" in reference)) return undefined;
  const booking = initial.bookings.find(({ id }) => id === reference.id);
  if (booking === undefined || by === undefined) return booking;
  const provider = initial.slots.find(({ id }) => id === booking.slot)?.provider;
  const owners = [`customer:${booking.customer}`, `vendor:${provider}`];
  return command.name !== "webhook" && owners.includes(by) ? booking : undefined;
}

export function sameBooking({ initial }: BookingScenario): (a: OnBooking, b: OnBooking) => boolean {
  return (a, b) => {
    const booking = bookingOf(initial, a);
    return booking !== undefined && booking === bookingOf(initial, b);
  };
}
