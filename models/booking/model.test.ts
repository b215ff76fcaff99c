import { describe, expect, test } from "vitest";
import type { Call, JsonObject, ObservedHistory, Response } from "../../harness/index.ts";
import { model } from "./model.ts";
import type { Calendar } from "./model-calendar.ts";
import type { BookingOperation } from "./operations.ts";
import { ADJACENT, initialState } from "./state.ts";

type Done = Call<BookingOperation>;

const free = { sameProvider: true, gap: ADJACENT, past: false, outcome: "free" } as const;
const pending = { ...free, outcome: "pending" } as const;
/** Slots 1 and 2 of provider 1, and slot 3 of provider 2 with booking 1. */
const initial = initialState([free, free, { ...pending, sameProvider: false }]);

const create = (slot: number, rest: object = {}): BookingOperation => ({
  name: "create",
  via: "function",
  slot: { id: slot },
  customer: "ada",
  customerName: "Ada",
  notes: "",
  createdBy: "customer",
  ...rest,
});
const cancel = (id: number): BookingOperation => ({
  ...{ name: "cancel", via: "http", booking: { id }, by: "customer:customer-1" },
});
const list = (provider: number): BookingOperation => ({ name: "list", via: "http", provider });
const expire: BookingOperation = {
  name: "expire",
  via: "function",
  at: "2099-12-31T00:00:00.000Z",
};

const lost: Response = { outcome: "info", code: "CONNECTION_LOST", body: null };
const booked = (id: number, slot: number): Response => ({
  outcome: "ok",
  code: "CREATED",
  body: {
    ...{ id: String(id), slotId: String(slot), providerId: "1", status: "pending" },
    ...{
      startAt: initial.slots[slot - 1]?.startAt ?? "",
      endAt: initial.slots[slot - 1]?.endAt ?? "",
    },
    ...{ customerId: "ada", idempotencyKey: null, paymentIntentId: null, createdBy: "customer" },
  },
});

/** Operations of different clients, one after the other. */
function calls(...all: readonly (readonly [BookingOperation, Response?])[]): Done[] {
  return all.map(([operation, response], client) => ({
    ...{ client, index: 0, operation, response },
    ...{ invokedAt: 2 * client, returnedAt: 2 * client + 1 },
  }));
}

const historyOf = (calls: readonly Done[], final?: ObservedHistory["final"]) => ({
  ...{ initial, calls, final },
});
const start = (final?: ObservedHistory["final"]): Calendar => model.init(historyOf([], final));
const step = (state: Calendar, operation: BookingOperation, response?: Response) =>
  model.step(state, { ...calls([operation])[0], operation, response } as Done);

describe("an id", () => {
  test("of a new object is the service's choice among unused ids", () => {
    expect(step(start(), create(1), booked(7, 1))).toHaveLength(1);
    expect(step(start(), create(1), booked(1, 1))).toEqual([]);
  });

  test("of a create without a response is that of a final row", () => {
    const row = { id: 5, customer_id: "ada", idempotency_key: null };
    const others = [
      { ...row, id: 6, customer_id: "noor" },
      { ...row, id: 8, idempotency_key: "key" },
    ];
    const states = step(start({ bookings: [row, ...others] }), create(1), lost);
    expect(states.map(({ bookings }) => [...bookings.keys()])).toEqual([[1, 5]]);
  });
});

describe("a lost response", () => {
  test("allows the effect of the operation, if it has one", () => {
    const [after] = step(start(), cancel(1), lost);
    expect(after?.bookings.get(1)?.status).toBe("cancelled");
    expect(step(after ?? start(), cancel(1), lost)).toEqual([]);
    expect(step(start(), list(1), lost)).toEqual([]);
  });
});

describe("the final state", () => {
  const rows = (calendar: Calendar, changes: JsonObject) =>
    [...calendar.bookings.keys()].map((id) => ({
      ...{
        id,
        slot_id: 3,
        provider_id: 2,
        customer_id: "customer-1",
        customer_name: "",
        notes: "",
      },
      ...{ start_at: initial.slots[2]?.startAt ?? "", end_at: initial.slots[2]?.endAt ?? "" },
      ...{ status: "pending", created_by: "customer", hold_expires_at: true },
      ...{ idempotency_key: null, idempotency_slot_id: null, payment_intent_id: null },
      ...{ idempotency_payment_intent_id: null },
      ...changes,
    }));
  const slots = initial.slots.map(({ id, provider, startAt, endAt, available }) => ({
    ...{ id, provider_id: provider, start_at: startAt.replace("Z", "+00:00"), end_at: endAt },
    ...{ is_available: available, withdrawn_at: false },
  }));
  const left = (changes: JsonObject, rest: object = {}) =>
    model.mismatch?.(start(), {
      ...{ providers: initial.providers, availability_slots: slots },
      bookings: rows(start(), changes),
      ...rest,
    });

  test("is compared column by column", () => {
    expect(left({})).toBeUndefined();
    expect(left({ status: "cancelled" })).toBe(
      'booking 1\'s status should be "pending", not "cancelled"',
    );
    expect(left({ start_at: "2100-01-05T00:00:00+00:00" })).toContain("booking 1's start_at");
  });

  test("has every row, and no other", () => {
    expect(left({}, { bookings: [] })).toBe("booking 1 is missing");
    expect(left({}, { availability_slots: [...slots, { id: 9 }] })).toBe("slot 9 should not exist");
  });
});

describe("the parts of a history", () => {
  const parts = (...done: Done[]) =>
    (model.split?.(historyOf(done)) ?? [])
      .map(({ calls, initial }) => ({
        operations: calls.map(({ operation }) => operation.name),
        providers: initial.providers.map(({ id }) => id),
      }))
      .sort((a, b) => Number(a.providers[0]) - Number(b.providers[0]));

  test("are the calendars of providers", () => {
    expect(parts(...calls([create(1)], [cancel(1)], [list(1)]))).toEqual([
      { operations: ["create", "list"], providers: [1] },
      { operations: ["cancel"], providers: [2] },
    ]);
  });

  test("join providers that an operation or a key concerns", () => {
    const all = { providers: [1, 2] };
    expect(parts(...calls([create(1)], [expire]))).toEqual([
      { operations: ["create", "expire"], ...all },
    ]);
    const key = { idempotencyKey: "key" };
    expect(parts(...calls([create(1, key)], [create(3, key)]))).toEqual([
      { operations: ["create", "create"], ...all },
    ]);
    expect(parts(...calls([create(1, key)], [create(3)]))).toHaveLength(2);
  });

  test("have ids in place of references", () => {
    const [first] = calls([create(1), booked(7, 1)]);
    const [second] = calls([{ ...cancel(0), booking: { own: 0 } } as BookingOperation]);
    if (first === undefined || second === undefined) throw new Error("there are two");
    const done = [first, { ...second, index: 1, invokedAt: 2, returnedAt: 3 }];
    const [part] = model.split?.(historyOf(done)) ?? [];
    expect(part?.calls[1]?.operation).toMatchObject({ booking: { id: 7 } });
  });
});
