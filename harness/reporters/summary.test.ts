import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { pairLines, summary } from "./summary.ts";

const plain = { colour: false, folder: "out" };

test("begins with the verdict and what was executed", () => {
  expect(summary(passing, plain)).toMatch(/^PASS {2}booking\nNo violation in 2,000 executions/);
  expect(summary(failing, plain)).toMatch(/^FAIL {2}booking with the seeded bug/);
  expect(summary(interrupted, plain)).toMatch(
    /^UNKNOWN {2}booking\nUnknown: interrupted by SIGINT/,
  );
});

test("shows the counts, the rate, and the paths of the reports", () => {
  const text = summary(passing, plain);
  expect(text).toContain("executions   2,000 of 2,000 scenarios, 246.2/s; 8.1 s in total");
  expect(text).toContain("clients      701 with 2, 655 with 3, 644 with 4");
  expect(text).toContain("47,119, 11,804 preemptions, 1,933 lock waits, 21 deadlocks");
  expect(text).toContain("pairs        pair             explored  pruned  outcomes\n");
  expect(text).toContain("             create × cancel       148       –         3\n");
  expect(text).toContain("6 rules checked 27,742 times, none violated");
  expect(text).toContain("reports      out/report.html, out/report.json");
});

test("says that no invariants were given, unless their checker was not asked for", () => {
  const none = { ...passing, rules: passing.rules.filter(({ checker }) => checker === "contract") };
  const { settings } = none;
  expect(summary(passing, plain)).not.toContain("no invariants");
  expect(summary(none, plain)).toContain("             no invariants were given: ");
  const others = { ...none, settings: { ...settings, checkers: ["contract" as const] } };
  expect(summary(others, plain)).not.toContain("no invariants");
});

test("marks a pattern that is rarer than promised, and only that", () => {
  const text = summary(passing, { ...plain, width: 400 });
  expect(text).toContain("same-slot 66.5 % (promised 40.0 %)");
  expect(text.match(/\S+ \S+ % \(MISSED/g)).toEqual(["crossing-reschedules 4.3 % (MISSED"]);
  expect(text).not.toContain("too few scenarios");
  const patterns = passing.patterns.map((it) => ({ ...it, missed: false, share: 0.1 }));
  expect(summary({ ...passing, patterns }, { ...plain, width: 400 })).toContain(
    "same-slot 10.0 % (too few scenarios to tell, promised 40.0 %), overlapping-slots 10.0 % (too few",
  );
});

test("shows each counterexample with its replay command", () => {
  const text = summary(failing, { ...plain, width: 400 });
  expect(text).toContain("violated: slot_with_several_bookings 1, overlapping_bookings 1");
  expect(text).toMatch(
    /\nslot_with_several_bookings: 2 operations, 2 preemptions\n {2}npx heddle replay out\/\S+\.json\n/,
  );
  expect(text).toContain("\nno_server_error: 2 operations, 1 preemption\n");
});

test("keeps to 100 columns, except for commands to copy", () => {
  const lines = summary(failing, plain).split("\n");
  expect(lines.filter((line) => line.length > 100 && !line.includes("npx heddle"))).toEqual([]);
});

test("colours do not change the text", () => {
  const coloured = summary(failing, { ...plain, colour: true });
  expect(coloured).not.toBe(summary(failing, plain));
  expect(stripVTControlCharacters(coloured)).toBe(summary(failing, plain));
});

const PAIRS = [
  { name: "create × create", explored: 1_234, pruned: 56, complete: true, outcomes: 2 },
  { name: "cancel × expire", explored: 7, pruned: null, complete: false, outcomes: 13 },
];

test("shows the searched pairs as a table", () => {
  expect(pairLines(PAIRS)).toEqual([
    "pair               explored  pruned  outcomes",
    "create × create       1,234      56         2",
    "cancel × expire  7, not all       –        13",
    "–: no reduction; --preemptions all leaves out equivalent interleavings",
  ]);
  expect(pairLines(PAIRS.slice(0, 1))).toHaveLength(2);
  expect(pairLines([])).toEqual([]);
});

test("does not wrap the lines of that table", () => {
  const name = "an operation with a long name × an operation with a name that is longer still";
  const pairs = [{ name, explored: 2, pruned: null, complete: true, outcomes: 1 }];
  const text = summary({ ...passing, pairs }, { colour: false, folder: "reports" });
  expect(text).toContain(`${name}         2       –         1\n`);
});

test("counts the pairs that were not explored", () => {
  const left = { name: "expire × expire", explored: 0, pruned: null, complete: false, outcomes: 0 };
  expect(pairLines([...PAIRS, left, left]).slice(4)).toEqual(["2 pairs not explored"]);
  expect(pairLines([left])).toEqual([]);
});
