import { expect, test } from "vitest";
import { faultsLine, patternOutcome, ruleOutcome } from "./outcomes.ts";
import { passing } from "./sample-campaign.fixture.ts";

test("a share below the promised one is not reached, even if chance explains it", () => {
  const outcomeOf = (share: number, missed = false) =>
    patternOutcome({ name: "a", description: "", scenarios: 0, threshold: 0.05, share, missed });
  expect([0.06, 0.05, 0.041].map((share) => outcomeOf(share))).toEqual([
    "reached",
    "reached",
    "too few scenarios",
  ]);
  expect(outcomeOf(0.01, true)).toBe("missed");
});

test("a rule that was never checked has not held", () => {
  const rule = { checker: "invariant", name: "one", checked: 0, violated: 0 };
  expect(ruleOutcome(rule, [])).toBe("not checked");
  expect(ruleOutcome({ ...rule, checked: 3 }, [{ checker: "contract", name: "one" }])).toBe("held");
});

test("a rule is violated if an execution or a reported violation says so", () => {
  const rule = { checker: "invariant", name: "one", checked: 3, violated: 0 };
  expect(ruleOutcome({ ...rule, violated: 1 }, [])).toBe("violated");
  expect(ruleOutcome(rule, [{ checker: "invariant", name: "one" }])).toBe("violated");
});

test("faults are counted, and those that were enabled without effect are named", () => {
  const { settings } = passing;
  expect(faultsLine({ faults: { cancel: 2 }, settings: { ...settings, faults: ["cancel"] } })).toBe(
    "cancel 2",
  );
  expect(faultsLine({ faults: {}, settings: { ...settings, faults: ["cancel"] } })).toBe(
    "enabled but never injected: cancel",
  );
  expect(faultsLine({ faults: {}, settings: { ...settings, faults: [] } })).toBe("none enabled");
});
