import { expect, test } from "vitest";
import { ConnectionQueue } from "./connection-queue.ts";

test("connections are opened one at a time, in the order in which they were requested", async () => {
  let settled = 0;
  const connections = new ConnectionQueue(() => settled++);
  const order: string[] = [];
  const first = connections.next();
  const second = connections.next().then((end) => {
    order.push("second begins");
    return end;
  });
  const endFirst = await first;
  expect([order, connections.size]).toEqual([[], 2]);
  order.push("first ends");
  await endFirst();
  await endFirst(); // Called again when a session ends that was ready.
  expect([settled, connections.size]).toEqual([1, 1]);
  await (await second)();
  expect([order, settled, connections.size]).toEqual([["first ends", "second begins"], 2, 0]);
});
