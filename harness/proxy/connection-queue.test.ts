import { expect, test } from "vitest";
import { ConnectionQueue } from "./connection-queue.ts";

test("each waits for the one before it, in the order in which they asked", async () => {
  let settled = 0;
  const openings = new ConnectionQueue(() => settled++);
  const order: string[] = [];
  const first = openings.next();
  const second = openings.next().then((end) => {
    order.push("second begins");
    return end;
  });
  const endFirst = await first;
  expect([order, openings.size]).toEqual([[], 2]);
  order.push("first ends");
  await endFirst();
  await endFirst(); // A session that is ready may end as well.
  expect([settled, openings.size]).toEqual([1, 1]);
  await (await second)();
  expect([order, settled, openings.size]).toEqual([["first ends", "second begins"], 2, 0]);
});
