import { expect, test } from "vitest";
import type { OrderDifference } from "../core/order-difference.ts";
import { orderTexts } from "./order-lines.ts";

const order: OrderDifference = {
  order: [
    { client: 1, operation: "order" },
    { client: 0, operation: "restock" },
  ],
  answers: [
    { client: 0, operation: "restock", execution: { stock: 5 }, order: { stock: 4, of: 1 } },
    { client: 1, operation: "order", codes: { execution: "409", order: "201" }, order: [1] },
  ],
  rows: [
    {
      ...{ table: "public.items", row: { id: 1, stock: 5 } },
      ...{ execution: { stock: 5 }, order: { stock: 4 } },
    },
    { table: "public.log", row: { line: "b" }, onlyIn: "order" },
    { table: "public.log", row: { line: "a" }, onlyIn: "execution" },
  ],
};

test("an order is followed by what it would have given instead", () => {
  expect(orderTexts({ orders: [order] })).toEqual([
    {
      title: "The order, 1: order, then 0: restock, would differ in 7 places:",
      lines: [
        "public.items: stock would be 4 in place of 5, where id=1",
        'public.log: it would also have line="b"',
        'public.log: it would not have line="a"',
        "client 0's restock: stock would be 4 in place of 5",
        "client 0's restock: of would be 1 in place of nothing",
        'client 1\'s order: the code would be "201" in place of "409"',
        "client 1's order: the answer would be [1] in place of nothing",
      ],
    },
  ]);
});

test("the first of several orders is the nearest one", () => {
  const titles = orderTexts({ orders: [order, order] }).map(({ title }) => title.split(",")[0]);
  expect(titles).toEqual(["The nearest order", "The order"]);
});

test("other violations have none", () => {
  expect(orderTexts({})).toEqual([]);
});
