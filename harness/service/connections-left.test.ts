import { expect, test } from "vitest";
import { connectionsLeft } from "./connections-left.ts";

/** A client whose connection has a statement under way for so many looks, and then is closed if `closes`. */
function looked(busy: number, closes: boolean) {
  let looks = 0;
  return {
    sessions: () => (closes && looks >= busy ? 0 : 1),
    isBusy: () => looks++ < busy,
  };
}

test("a connection counts as left from the time on at which nothing of it is under way", async () => {
  expect(await connectionsLeft("ada", { value: 1 }, looked(0, true), 5)).toBeUndefined();
  // Each look takes a millisecond or more.
  expect(await connectionsLeft("ada", { value: 1 }, looked(30, true), 5)).toBeUndefined();
  const left = await connectionsLeft("ada", { error: "40001", message: "no" }, looked(2, false), 5);
  expect(left?.message).toMatch(/^client "ada" has ended with 40001 \(no\) and left 1 of its conn/);
});
