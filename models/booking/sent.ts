import type { BookingOperation, Reference } from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import type { InitialBooking, BookingState, InitialSlot } from "./state.ts";

type Named<N extends BookingOperation["name"]> = Extract<BookingOperation, { readonly name: N }>;
/** A operation that is about a booking. */
export type BookingChange = Named<"cancel" | "confirm" | "webhook" | "reschedule">;

/** A operation together with the client that sends it. */
export type ClientOperation<C extends BookingOperation = BookingOperation> = {
  readonly client: number;
  readonly operation: C;
};

export function operationsNamed<N extends BookingOperation["name"]>(
  scenario: BookingScenario,
  ...names: readonly N[]
): ClientOperation<Named<N>>[] {
  const isNamed = (operation: BookingOperation): operation is Named<N> =>
    names.some((name) => name === operation.name);
  return scenario.clients.flatMap((operations, client) =>
    operations.filter(isNamed).map((operation) => ({ client, operation })),
  );
}

/** Whether operations of two different clients are related so. */
export function someOfTwoClients<A extends BookingOperation, B extends BookingOperation>(
  first: readonly ClientOperation<A>[],
  second: readonly ClientOperation<B>[],
  related: (a: A, b: B) => boolean,
): boolean {
  return first.some((a) =>
    second.some((b) => a.client !== b.client && related(a.operation, b.operation)),
  );
}

export function slotOf(initial: BookingState, reference: Reference): InitialSlot | undefined {
  return "id" in reference ? initial.slots.find((slot) => slot.id === reference.id) : undefined;
}

/** The booking that a operation is about; none if its sender has no right to it. */
export function bookingOf(initial: BookingState, operation: BookingChange): InitialBooking | undefined {
  const { booking: reference, by } = operation;
  if (!("id" in reference)) return undefined;
  const booking = initial.bookings.find(({ id }) => id === reference.id);
  if (booking === undefined || by === undefined) return booking;
  const provider = initial.slots.find(({ id }) => id === booking.slot)?.provider;
  const owners = [`customer:${booking.customer}`, `vendor:${provider}`];
  return operation.name !== "webhook" && owners.includes(by) ? booking : undefined;
}

export function sameBooking({ initial }: BookingScenario): (a: BookingChange, b: BookingChange) => boolean {
  return (a, b) => {
    const booking = bookingOf(initial, a);
    return booking !== undefined && booking === bookingOf(initial, b);
  };
}
