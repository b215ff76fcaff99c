import { expect, test } from "vitest";
import { memoize } from "./memoize.ts";

test("each text is computed once, and again after the cache was cleared", () => {
  const computed: string[] = [];
  const memoized = memoize((text) => {
    computed.push(text);
    return { text };
  });
  const first = memoized("a");
  expect(memoized("a")).toBe(first);
  expect(computed).toEqual(["a"]);
  for (let i = 0; i < 300; i++) memoized(String(i));
  expect(memoized("a")).toEqual(first);
  expect(computed.filter((text) => text === "a")).toHaveLength(2);
});
