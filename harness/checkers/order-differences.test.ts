import { describe, expect, test } from "vitest";
import type { Snapshot } from "../core/execution.ts";
import type { Call } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { differenceCount } from "../core/order-difference.ts";
import { IdBijection } from "./id-bijection.ts";
import { differencesOf } from "./order-differences.ts";

const ids: IdFields = {
  orders: { id: "orders.id" },
  lines: { id: "lines.id", order_id: "orders.id" },
  make: { id: "orders.id" },
};

const ok = (body: Json, code = "OK") => ({ outcome: "ok" as const, code, body });

/** Calls of one client each. */
function callsOf(...bodies: readonly Json[]): readonly Call[] {
  return bodies.map((body, client) => ({
    ...{ client, index: 0, operation: { name: "make" }, response: ok(body) },
    ...{ invokedAt: client, returnedAt: bodies.length + client },
  }));
}

const difference = (
  calls: readonly Call[],
  contents: Snapshot,
  ...orders: readonly {
    readonly order: readonly number[];
    readonly bodies: Json[];
    readonly rows: Snapshot;
  }[]
) =>
  differencesOf(
    { calls, contents, bijection: IdBijection.from(null, ids) },
    orders.map(({ order, bodies, rows }) => ({
      ...{ order, contents: rows, responses: bodies.map((body) => ok(body)) },
    })),
  );

describe("nothing differs", () => {
  test("where answers and rows are the same, ids and the order of rows aside", () => {
    const [same] = difference(
      callsOf({ id: 1 }, { id: 2 }),
      {
        orders: [
          { id: 1, of: "a" },
          { id: 2, of: "a" },
        ],
        lines: [{ id: 1, order_id: 2 }],
      },
      {
        order: [1, 0],
        bodies: [{ id: 1 }, { id: 2 }],
        rows: {
          orders: [
            { id: 1, of: "a" },
            { id: 2, of: "a" },
          ],
          lines: [{ id: 7, order_id: 1 }],
        },
      },
    );
    expect(same).toMatchObject({ answers: [], rows: [] });
    expect(same?.order).toEqual([
      { client: 1, operation: "make" },
      { client: 0, operation: "make" },
    ]);
  });
});

describe("what differs is", () => {
  test("a column of a row, with the row", () => {
    const [found] = difference(
      callsOf(null),
      {
        items: [
          { name: "lamp", size: 1, stock: 5 },
          { name: "chair", size: 2, stock: 2 },
        ],
      },
      {
        order: [0],
        bodies: [null],
        rows: {
          items: [
            { name: "chair", size: 2, stock: 2 },
            { name: "lamp", size: 1, stock: 4 },
          ],
        },
      },
    );
    expect(found?.rows).toEqual([
      {
        table: "items",
        row: { name: "lamp", size: 1, stock: 5 },
        ...{ execution: { stock: 5 }, order: { stock: 4 } },
      },
    ]);
  });

  test("a row that only one of them has, and which of them", () => {
    const [found] = difference(
      callsOf(null),
      { log: [{ line: "a" }], notes: [] },
      { order: [0], bodies: [null], rows: { log: [], notes: [{ text: "b" }] } },
    );
    expect(found?.rows).toEqual([
      { table: "log", row: { line: "a" }, onlyIn: "execution" },
      { table: "notes", row: { text: "b" }, onlyIn: "order" },
    ]);
  });

  test("a reference to a row that is another one than in the order", () => {
    const orders = [
      { id: 1, of: "a" },
      { id: 2, of: "b" },
    ];
    const line = (order_id: number) => [{ id: 1, order_id, text: "x", more: "y" }];
    const [found] = difference(
      callsOf(null),
      { orders, lines: line(1) },
      { order: [0], bodies: [null], rows: { orders, lines: line(2) } },
    );
    expect(found?.rows).toMatchObject([
      { table: "lines", execution: { order_id: 1 }, order: { order_id: 2 } },
    ]);
  });

  test("a code, and the fields of an answer, and those that only one of them has", () => {
    const calls = callsOf({ id: 1, stock: 5, old: true });
    const [found] = differencesOf({ calls, contents: {}, bijection: IdBijection.from(null, ids) }, [
      { order: [0], contents: {}, responses: [ok({ id: 9, stock: 4, new: 1 }, "CREATED")] },
    ]);
    expect(found?.answers).toEqual([
      {
        ...{ client: 0, operation: "make" },
        codes: { execution: "OK", order: "CREATED" },
        execution: { stock: 5, old: true },
        order: { stock: 4, new: 1 },
      },
    ]);
  });

  test("an answer that is no object, as a whole", () => {
    const [found] = difference(callsOf([1]), {}, { order: [0], bodies: [[2]], rows: {} });
    expect(found?.answers).toEqual([{ client: 0, operation: "make", execution: [1], order: [2] }]);
  });
});

test("the nearest order is the one with the fewest differences", () => {
  const rows = (stock: number) => ({ items: [{ name: "lamp", size: 1, stock }] });
  const found = difference(
    callsOf(4, 4),
    rows(4),
    { order: [0, 1], bodies: [3, 5], rows: rows(5) },
    { order: [1, 0], bodies: [4, 5], rows: rows(4) },
  );
  expect(found.map((one) => [one.order[0]?.client, differenceCount(one)])).toEqual([
    [1, 1],
    [0, 3],
  ]);
});
