import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADJACENT, initialState, type SlotPlan } from "./initial-states.ts";
import type { BookingOperation } from "./operations.ts";
import { type BookingScenario, scenarios } from "./scenarios.ts";
import { simpler } from "./simpler.ts";
import type { BookingState } from "./state.ts";

const plan: SlotPlan = { sameProvider: true, gap: ADJACENT, past: false, outcome: "free" };
const initial = initialState([plan, { ...plan, outcome: "pending" }]);
const create: BookingOperation = {
  name: "create",
  via: "http",
  slot: { id: 1 },
  customer: "customer-1",
  customerName: "Ada",
  notes: "",
  createdBy: "customer",
};
const cancel: BookingOperation = { name: "cancel", via: "http", booking: { id: 1 } };

const statesOf = (...clients: BookingOperation[][]) =>
  [...simpler({ initial, clients })].map((scenario) => scenario.initial);
const operationsOf = (operation: BookingOperation) =>
  [
    ...simpler({
      initial: { ...initial, bookings: [], payments: [] },
      clients: [[operation, cancel]],
    }),
  ]
    .map(({ clients }) => clients[0]?.[0])
    .filter((other) => other !== operation);

/** The first of the simpler ones, again and again; never, if there is no end to it. */
function simplestOf(scenario: BookingScenario): BookingScenario {
  for (const next of simpler(scenario)) return simplestOf(next);
  return scenario;
}

describe("simpler", () => {
  test("takes away a booking that no operation refers to, and frees its slot", () => {
    const [first] = statesOf([create]);
    expect(first?.bookings).toEqual([]);
    expect(first?.slots.map(({ available }) => available)).toEqual([true, true]);
  });

  test("keeps what operations refer to, and the slot of a booking that is kept", () => {
    expect(statesOf([create], [cancel])).toEqual([]);
    const withoutFirstSlot = initial.slots.filter(({ id }) => id === 2);
    expect(statesOf([cancel]).map(({ slots }) => slots)).toEqual([withoutFirstSlot]);
  });

  test("takes away the notes of a booking that is kept", () => {
    const noted = initial.bookings.map((booking) => ({ ...booking, notes: "Hi" }));
    const state = { ...initial, bookings: noted };
    const states = [...simpler({ initial: state, clients: [[create], [cancel]] })];
    expect(states.map((scenario) => scenario.initial)).toEqual([initial]);
  });

  test("takes away a provider that has nothing left", () => {
    const two: BookingState = {
      ...initial,
      providers: [...initial.providers, { id: 2, name: "" }],
    };
    const states = [...simpler({ initial: two, clients: [[create], [cancel]] })];
    expect(states.map((scenario) => scenario.initial)).toEqual([initial]);
    const publish: BookingOperation = {
      name: "publish",
      via: "function",
      provider: 2,
      startAt: "",
      endAt: "",
    };
    expect([...simpler({ initial: two, clients: [[create, cancel, publish]] })]).toEqual([]);
  });

  test("takes away arguments that a operation can do without, and only those", () => {
    expect(operationsOf(create)).toEqual([]);
    expect(operationsOf({ ...create, idempotencyKey: "key-1" })).toEqual([create]);
    expect(operationsOf({ ...create, provider: 9, paymentIntentId: "pi_1" })).toEqual([
      { ...create, paymentIntentId: "pi_1" },
      { ...create, provider: 9 },
    ]);
    expect(operationsOf({ ...create, notes: "Hi", createdBy: "vendor" })).toEqual([
      { ...create, createdBy: "vendor" },
      { ...create, notes: "Hi" },
    ]);
    const list: BookingOperation = { name: "list", via: "http", provider: 1 };
    expect(operationsOf(list)).toEqual([]);
  });

  test("comes to an end for every scenario", () => {
    const sample = fc.sample(scenarios({ minClients: 2, maxClients: 4 }), {
      numRuns: 200,
      seed: 1,
    });
    for (const scenario of sample) {
      const simplest = simplestOf(scenario);
      expect(simplest.initial.slots.length).toBeLessThanOrEqual(scenario.initial.slots.length);
      expect(simplest.clients.map((operations) => operations.map(({ name }) => name))).toEqual(
        scenario.clients.map((operations) => operations.map(({ name }) => name)),
      );
    }
  });
});
