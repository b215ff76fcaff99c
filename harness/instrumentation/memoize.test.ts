import { expect, test } from "vitest";
import { memoize } from "./memoize.ts";

test("it is asked once for each text, and again for those that it had to forget", () => {
  const asked: string[] = [];
  const of = memoize((text) => {
    asked.push(text);
    return { text };
  });
  const first = of("a");
  expect(of("a")).toBe(first);
  expect(asked).toEqual(["a"]);
  for (let i = 0; i < 300; i++) of(String(i));
  expect(of("a")).toEqual(first);
  expect(asked.filter((text) => text === "a")).toHaveLength(2);
});
