import { describe, expect, test } from "vitest";
import { type BookingOperation, type Reference, References } from "./operations.ts";
import { initialState } from "./state.ts";

const initial = initialState([{ sameProvider: true, gap: 0, past: false, outcome: "pending" }]);
const slot = { id: 7, provider: 1, startAt: "2100-01-01", endAt: "2100-01-02" };
const cancel = (booking: Reference): BookingOperation => ({ name: "cancel", via: "http", booking });
const withdraw = (reference: Reference): BookingOperation => ({
  name: "withdraw",
  via: "function",
  slot: reference,
});
const reschedule = (booking: Reference, to: Reference): BookingOperation => ({
  name: "reschedule",
  via: "http",
  booking,
  slot: to,
});

describe("References", () => {
  test("resolves slots of the initial state and any booking id", () => {
    const references = new References(initial);
    expect(references.resolve(withdraw({ id: 1 }), 0)).toMatchObject({ slot: initial.slots[0] });
    expect(references.resolve(cancel({ id: 5 }), 0)).toMatchObject({
      booking: 5,
      by: "vendor:1",
    });
    expect(references.resolve(reschedule({ id: 1 }, { id: 1 }), 0)).toMatchObject({
      booking: 1,
      slot: { id: 1 },
    });
  });

  test("returns the kind of reference that cannot be resolved", () => {
    const references = new References(initial);
    expect(references.resolve(withdraw({ id: 5 }), 0)).toBe("slot");
    expect(references.resolve(withdraw({ own: 0 }), 0)).toBe("slot");
    expect(references.resolve(cancel({ own: 0 }), 0)).toBe("booking");
    expect(references.resolve(reschedule({ own: 0 }, { own: 0 }), 0)).toBe("booking");
    expect(references.resolve(reschedule({ id: 1 }, { own: 0 }), 0)).toBe("slot");
  });

  test("resolves what each client made, in order", () => {
    const references = new References(initial);
    references.addBooking(0, 11, "customer:c");
    references.addBooking(1, 12, "vendor:2");
    references.addBooking(0, 13, "customer:d");
    references.addSlot(1, slot);
    expect(references.resolve(cancel({ own: 0 }), 0)).toMatchObject({
      booking: 11,
      by: "customer:c",
    });
    expect(references.resolve(cancel({ own: 1 }), 0)).toMatchObject({ booking: 13 });
    expect(references.resolve(cancel({ own: 0 }), 1)).toMatchObject({ booking: 12 });
    expect(references.resolve(withdraw({ own: 0 }), 1)).toMatchObject({ slot });
    expect(references.resolve(withdraw({ own: 0 }), 0)).toBe("slot");
  });

  test("chooses a sender with the right to the operation, unless it names one", () => {
    const references = new References(initial);
    const create = {
      name: "create",
      via: "http",
      slot: { id: 1 },
      customer: "c",
      customerName: "C",
      notes: "",
      createdBy: "customer",
    } as const;
    const webhook = {
      name: "webhook",
      via: "http",
      booking: { id: 1 },
      attempt: 1,
      captured: true,
    } as const;
    const by = (operation: BookingOperation) => {
      const request = references.resolve(operation, 0);
      return typeof request === "object" && "by" in request ? request.by : undefined;
    };
    expect(by(cancel({ id: 1 }))).toBe("customer:customer-1");
    expect(by({ ...cancel({ id: 1 }), by: "nobody" } as BookingOperation)).toBe("nobody");
    expect(by(create)).toBe("customer:c");
    expect(by({ ...create, createdBy: "vendor" })).toBe("vendor:1");
    expect(by({ ...create, createdBy: "vendor", provider: 9 })).toBe("vendor:9");
    expect(by(webhook)).toBe("system:gateway");
    expect(by({ name: "refund", via: "http" })).toBe("system:gateway");
  });

  test("returns operations without references unchanged", () => {
    const list: BookingOperation = { name: "list", via: "http", provider: 1 };
    expect(new References(initial).resolve(list, 0)).toBe(list);
  });
});
