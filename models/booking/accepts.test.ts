import { expect, test } from "vitest";
import { accepts } from "./accepts.ts";
import type { BookingOperation, Create } from "./operations.ts";
import { pairs } from "./pairs.ts";

const { initial } = pairs()[0]?.scenario ?? { initial: undefined };

const create: Create = {
  name: "create",
  via: "http",
  slot: { id: 3 },
  customer: "customer-1",
  customerName: "Ada",
  notes: "",
  createdBy: "customer",
};

function accepted(operation: object): boolean {
  if (initial === undefined) throw new Error("there are no pairs");
  return accepts({ initial, clients: [[operation as BookingOperation]] });
}

test("every pair of operations is accepted", () => {
  for (const { name, scenario } of pairs()) expect([name, accepts(scenario)]).toEqual([name, true]);
});

test.each([
  { customerName: "A" },
  { slot: { id: 1 } },
  { slot: { own: 0 } },
  { idempotencyKey: "k" },
])("%j is accepted in a create", (changes) => {
  expect(accepted({ ...create, ...changes })).toBe(true);
});

test.each([
  { customerName: "" },
  { slot: { id: 0 } },
  { slot: {} },
  { slot: { own: -1 } },
  { via: "" },
  { createdBy: "cust" },
  { customer: "customer" },
  { surprise: 1 },
])("%j is not", (changes) => {
  expect(accepted({ ...create, ...changes })).toBe(false);
});

test("nothing that a operation needs may be missing", () => {
  const { customerName: _, ...rest } = create;
  expect(accepted(rest)).toBe(false);
  expect(accepted({ name: "expire", via: "function" })).toBe(false);
  expect(accepted({ name: "expire", via: "function", at: "2030-01" })).toBe(false);
});
