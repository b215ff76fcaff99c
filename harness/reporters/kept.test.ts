import { expect, test } from "vitest";
import { keptOf } from "./kept.ts";

test("a share below what was promised is not kept, even where chance explains it", () => {
  const of = (share: number, missed = false) =>
    keptOf({ name: "a", description: "", scenarios: 0, threshold: 0.05, share, missed });
  expect([0.06, 0.05, 0.041].map((share) => of(share))).toEqual([
    "kept",
    "kept",
    "too few to tell",
  ]);
  expect(of(0.01, true)).toBe("missed");
});
