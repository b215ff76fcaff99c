import { expect, test } from "vitest";
import { differenceOf, lineDiff } from "./line-diff.ts";

const lines = (...all: (string | number)[]) => all.join("\n");

test("equal texts do not differ", () => {
  expect(lineDiff("a\nb\n", "a\nb\n")).toBe("");
  expect(differenceOf("a\nb\n", "a\nb\n")).toBe(0);
});

test("what differs is shown with three lines around it, and where it is", () => {
  const before = lines(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "");
  const after = lines(1, 2, 3, 4, "five", 6, 7, 8, 9, 10, 11, 12, "");
  expect(lineDiff(before, after)).toBe(
    lines("@@ -2 +2 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8", "@@ -10 +10 @@") +
      lines("", " 10", " 11", " 12", "-13", " ", ""),
  );
  expect(differenceOf(before, after)).toBe(3);
});

test("as many lines as possible are kept", () => {
  expect(differenceOf(lines("a", "b", "c", "d"), lines("b", "x", "d", "a"))).toBe(4);
});

test("the first line may differ, and all of them", () => {
  expect(lineDiff("a", "b")).toBe("@@ -1 +1 @@\n-a\n+b\n");
});
