import { expect, test } from "vitest";
import { pairLines, pairTable } from "./pair-table.ts";

const PAIRS = [
  { name: "create × create", explored: 1_234, pruned: 56, complete: true, outcomes: 2 },
  { name: "cancel × expire", explored: 7, pruned: null, complete: false, outcomes: 13 },
];

test("as text, it is a table with a heading", () => {
  expect(pairLines(PAIRS)).toEqual([
    "pair               explored  pruned  outcomes",
    "create × create       1,234      56         2",
    "cancel × expire  7, not all       –        13",
    "–: nothing is left out; with --preemptions all, what comes to the same is",
  ]);
  expect(pairLines(PAIRS.slice(0, 1))).toHaveLength(2);
  expect(pairLines([])).toEqual([]);
});

test("as text, what was not explored is a number only", () => {
  const left = { name: "expire × expire", explored: 0, pruned: null, complete: false, outcomes: 0 };
  expect(pairLines([...PAIRS, left, left]).slice(4)).toEqual(["2 pairs not explored"]);
  expect(pairLines([left])).toEqual([]);
});

test("on the page, it marks what was not searched to the end, and only that", () => {
  const { markup } = pairTable(PAIRS) ?? { markup: "" };
  expect(markup).toContain("<code>create × create</code>");
  expect(markup).toContain(">1,234<");
  expect(markup.match(/class="unknown">[^<]*/g)).toEqual(['class="unknown">7, not all']);
  expect(pairTable([])).toBeUndefined();
});
