import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compareWithExpected, lineDiff } from "./expected.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-expected-"));
  await writeFile(join(folder, "a.out"), "one\ntwo\nthree\n");
  await writeFile(join(folder, "a_2.out"), "one\n2\n3\n");
});
afterEach(() => rm(folder, { recursive: true }));

test("accepts a variant of the expected file", async () => {
  const file = join(folder, "a.out");
  expect(await compareWithExpected("one\ntwo\nthree\n", file)).toEqual({ file, difference: "" });
  expect(await compareWithExpected("one\n2\n3\n", file)).toEqual({
    file: join(folder, "a_2.out"),
    difference: "",
  });
});

test("shows the difference from the file with the fewest changed lines", async () => {
  expect(await compareWithExpected("one\n2\n4\n", join(folder, "a.out"))).toEqual({
    file: join(folder, "a_2.out"),
    difference: "@@ -1 +1 @@\n one\n 2\n-3\n+4\n \n",
  });
});

test("counts as few changed lines as possible", async () => {
  await writeFile(join(folder, "a.out"), "a\nb\nc\nd");
  // Four lines of a_2.out are changed. So are four of a.out if b and d are kept, else six.
  await writeFile(join(folder, "a_2.out"), "b\n1\n2\na");
  expect(await compareWithExpected("b\nx\nd\na", join(folder, "a.out"))).toMatchObject({
    file: join(folder, "a.out"),
  });
});

test("names a file that cannot be read", async () => {
  await expect(compareWithExpected("", join(folder, "b.out"))).rejects.toThrow(
    `The expected file ${join(folder, "b.out")} cannot be read`,
  );
});

describe("lineDiff", () => {
  const lines = (...all: (string | number)[]) => all.join("\n");

  test("is empty for equal texts", () => {
    expect(lineDiff("a\nb\n", "a\nb\n")).toBe("");
  });

  test("shows each change with its position and three lines of context", () => {
    const before = lines(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "");
    const after = lines(1, 2, 3, 4, "five", 6, 7, 8, 9, 10, 11, 12, "");
    expect(lineDiff(before, after)).toBe(
      lines("@@ -2 +2 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8", "@@ -10 +10 @@") +
        lines("", " 10", " 11", " 12", "-13", " ", ""),
    );
  });

  test("keeps as many lines as possible", () => {
    const difference = lineDiff(lines("a", "b", "c", "d"), lines("b", "x", "d", "a"));
    expect(difference.match(/^[-+]/gm)).toHaveLength(4);
  });

  test("shows a changed first line, and texts without a common line", () => {
    expect(lineDiff("a", "b")).toBe("@@ -1 +1 @@\n-a\n+b\n");
  });

  test("shows long texts without common lines as one block", () => {
    const numbers = Array.from({ length: 6_000 }, (_, index) => index);
    const difference = lineDiff(lines(...numbers), lines("x"));
    expect(difference.startsWith("@@ -1 +1 @@\n-0\n-1\n")).toBe(true);
    expect(difference.endsWith("-5999\n+x\n")).toBe(true);
  });
});
