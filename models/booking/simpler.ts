import type { BookingOperation } from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import { type BookingState, isActive } from "./state.ts";

/**
 * The same operations on less: without one thing that nothing refers to, or with one argument or note
 * less. Each step takes something away, so that taking steps comes to an end.
 */
export function* simpler({ initial, clients }: BookingScenario): Generator<BookingScenario> {
  for (const less of smallerStates(initial, clients.flat())) yield { initial: less, clients };
  for (const [client, operations] of clients.entries()) {
    for (const [index, operation] of operations.entries()) {
      for (const less of plainer(operation)) {
        yield { initial, clients: clients.with(client, operations.with(index, less)) };
      }
    }
  }
}

function* smallerStates(
  state: BookingState,
  operations: readonly BookingOperation[],
): Generator<BookingState> {
  const { providers, slots, bookings, payments } = state;
  const named = (key: "slot" | "booking" | "provider") =>
    new Set(operations.map((c) => idOf(c, key)));
  const [namedBookings, namedSlots] = [named("booking"), named("slot")];
  for (const gone of bookings) {
    if (namedBookings.has(gone.id)) continue;
    yield {
      ...state,
      slots: slots.map((slot) =>
        slot.id === gone.slot && isActive(gone) ? { ...slot, available: true } : slot,
      ),
      bookings: bookings.filter((booking) => booking !== gone),
      payments: payments.filter(({ booking }) => booking !== gone.id),
    };
  }
  for (const gone of payments) {
    if (gone.status === "captured") continue;
    yield { ...state, payments: payments.filter((payment) => payment !== gone) };
  }
  for (const gone of slots) {
    if (namedSlots.has(gone.id) || bookings.some(({ slot }) => slot === gone.id)) continue;
    yield { ...state, slots: slots.filter((slot) => slot !== gone) };
  }
  for (const [index, wordy] of bookings.entries()) {
    if (wordy.notes === "") continue;
    yield { ...state, bookings: bookings.with(index, { ...wordy, notes: "" }) };
  }
  const namedProviders = named("provider");
  for (const gone of providers) {
    if (namedProviders.has(gone.id) || slots.some(({ provider }) => provider === gone.id)) continue;
    yield { ...state, providers: providers.filter((provider) => provider !== gone) };
  }
}

/** What a operation refers to by a known id. */
function idOf(
  operation: BookingOperation,
  key: "slot" | "booking" | "provider",
): number | undefined {
  const value = (operation as { readonly [argument: string]: unknown })[key];
  if (typeof value === "object" && value !== null && "id" in value) return Number(value.id);
  return typeof value === "number" ? value : undefined;
}

function* plainer(operation: BookingOperation): Generator<BookingOperation> {
  for (const optional of ["provider", "idempotencyKey", "paymentIntentId", "by"]) {
    if (operation.name === "publish" || operation.name === "list" || !(optional in operation))
      continue;
    const rest = Object.entries(operation).filter(([argument]) => argument !== optional);
    yield Object.fromEntries(rest) as BookingOperation;
  }
  if (operation.name === "confirm" || operation.name === "webhook") {
    if (operation.attempt === 2) yield { ...operation, attempt: 1 };
  }
  if (operation.name !== "create") return;
  if (operation.notes !== "") yield { ...operation, notes: "" };
  if (operation.createdBy === "vendor") yield { ...operation, createdBy: "customer" };
}
