import fc, { type Arbitrary } from "fast-check";
import type { Bounds, Scenario } from "../../harness/index.ts";
import { anyOperation } from "./any-operation.ts";
import { initialState } from "./initial-states.ts";
import type { BookingOperation } from "./operations.ts";
import { type Race, races } from "./races.ts";
import type { BookingState } from "./state.ts";
import { seededTexts } from "./texts.ts";

export type BookingScenario = Scenario<BookingState, BookingOperation>;

/** Operations of one client: mostly one or two, since executions have to be quick. */
const COUNTS = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3] as const;

/**
 * Small scenarios in which races are likely, with names and notes from a seed of their own.
 * Without fast-check's bias towards small values, which depends on how many values were drawn
 * before: the shares of the patterns hold for each scenario by itself.
 */
export function scenarios(bounds: Bounds): Arbitrary<BookingScenario> {
  const sizes = clientCounts(bounds).map((count) => ({
    weight: bounds.maxClients - count + 1,
    arbitrary: fc.array(fc.constantFrom(...COUNTS), { minLength: count, maxLength: count }),
  }));
  const scenario = fc.oneof(
    ...races.map((race) => ({
      weight: race.weight,
      arbitrary: fc.oneof(...sizes).chain((counts) => raceScenarios(race, counts)),
    })),
  );
  return fc.noBias(scenario);
}

function clientCounts({ minClients, maxClients }: Bounds): number[] {
  return Array.from({ length: maxClients - minClients + 1 }, (_, i) => minClients + i);
}

/** A race, and any other operations after it until each client has its number of them. */
function raceScenarios(race: Race, counts: readonly number[]): Arbitrary<BookingScenario> {
  return fc
    .tuple(race.slots.map(initialState), race.operations, fc.integer({ min: 1, max: 0x7fffffff }))
    .chain(([initial, operations, seed]) => {
      const size = {
        providers: initial.providers.length,
        slots: initial.slots.length,
        bookings: initial.bookings.length,
      };
      const first = anyOperation(size, false);
      const later = anyOperation(size, true);
      const clients = counts.map((count, client) => {
        const raced = operations.filter((_, i) => i % counts.length === client);
        const others = Array.from({ length: Math.max(0, count - raced.length) }, (_, i) =>
          i + raced.length === 0 ? first : later,
        );
        return fc.tuple(...others).map((rest) => [...raced, ...rest]);
      });
      return fc.tuple(...clients).map((clients) => withTexts({ initial, clients }, seed));
    });
}

function withTexts(scenario: BookingScenario, seed: number): BookingScenario {
  const texts = seededTexts(seed);
  const names = new Map<string, string>();
  const nameOf = (customer: string): string => {
    const name = names.get(customer) ?? texts.customer();
    names.set(customer, name);
    return name;
  };
  const signed = <T extends { readonly customer: string }>(thing: T) => ({
    ...thing,
    customerName: nameOf(thing.customer),
    notes: texts.note(),
  });
  const { providers, bookings } = scenario.initial;
  return {
    initial: {
      ...scenario.initial,
      providers: providers.map((provider) => ({ ...provider, name: texts.provider() })),
      bookings: bookings.map(signed),
    },
    clients: scenario.clients.map((operations) =>
      operations.map((operation) => (operation.name === "create" ? signed(operation) : operation)),
    ),
  };
}
