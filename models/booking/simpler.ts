import type { BookingCommand } from "./commands.ts";
import type { BookingScenario } from "./scenarios.ts";
import { type BookingState, isActive } from "./state.ts";

/**
 * The same commands on less: without one thing that nothing refers to, or with one argument or note
 * less. Each step takes something away, so that taking steps comes to an end.
 */
export function* simpler({ initial, clients }: BookingScenario): Generator<BookingScenario> {
  for (const less of smallerStates(initial, clients.flat())) yield { initial: less, clients };
  for (const [client, commands] of clients.entries()) {
    for (const [index, command] of commands.entries()) {
      for (const less of plainer(command)) {
        yield { initial, clients: clients.with(client, commands.with(index, less)) };
      }
    }
  }
}

function* smallerStates(
  state: BookingState,
  commands: readonly BookingCommand[],
): Generator<BookingState> {
  const { providers, slots, bookings, payments } = state;
  const named = (key: "slot" | "booking" | "provider") =>
    new Set(commands.map((c) => idOf(c, key)));
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

/** What a command refers to by a known id. */
function idOf(command: BookingCommand, key: "slot" | "booking" | "provider"): number | undefined {
  const value = (command as { readonly [argument: string]: unknown })[key];
  if (typeof value === "object" && value !== null && "id" in value) return Number(value.id);
  return typeof value === "number" ? value : undefined;
}

function* plainer(command: BookingCommand): Generator<BookingCommand> {
  for (const optional of ["provider", "idempotencyKey", "paymentIntentId", "by"]) {
    if (command.name === "publish" || command.name === "list" || !(optional in command)) continue;
    const rest = Object.entries(command).filter(([argument]) => argument !== optional);
    yield Object.fromEntries(rest) as BookingCommand;
  }
  if (command.name === "confirm" || command.name === "webhook") {
    if (command.attempt === 2) yield { ...command, attempt: 1 };
  }
  if (command.name !== "create") return;
  if (command.notes !== "") yield { ...command, notes: "" };
  if (command.createdBy === "vendor") yield { ...command, createdBy: "customer" };
}
