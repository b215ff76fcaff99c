import { expect, test } from "vitest";
import { footprintsFor } from "../explorer/verify.ts";
import { strategies } from "../scheduler/strategies.ts";

test("which steps commute is told where it is asked, and no commit is looked at", () => {
  const told = (preemptions: number, observe?: "each-commit") => {
    const strategy = strategies({ preemptions }).find(({ name }) => name === "exhaustive");
    const isolation = "read committed" as const;
    const control = { gates: ["statement"] as const, isolation, ...(observe && { observe }) };
    return strategy && "footprints" in footprintsFor(strategy, control);
  };
  expect(told(Number.POSITIVE_INFINITY)).toBe(true);
  expect(told(2)).toBe(false);
  expect(told(Number.POSITIVE_INFINITY, "each-commit")).toBe(false);
});
