import { expect, test } from "vitest";
import { tableText } from "./output.ts";

test("numbers are aligned to the right, other texts to the left, and nulls are empty", () => {
  const rows = [
    ["1", "free", "-1.5e3"],
    ["20", null, null],
  ];
  expect(tableText({ columns: ["id", "state", "x"], rows })).toBe(
    [
      "id|state|     x",
      "--+-----+------",
      " 1|free |-1.5e3",
      "20|     |      ",
      "(2 rows)",
      "",
      "",
    ].join("\n"),
  );
});

test.each([
  ["E1", "E1   "],
  ["1-", "1-   "],
  ["12-22-2008", "12-22-2008"],
  ["2 3", "  2 3"],
  ["ü", "ü   "],
])("%j is padded to %j", (cell, padded) => {
  expect(tableText({ columns: ["12345"], rows: [[cell]] }).split("\n")[2]).toBe(padded);
});

test("formats a single row, no row, and no column", () => {
  expect(tableText({ columns: ["a"], rows: [["x"]] })).toBe("a\n-\nx\n(1 row)\n\n");
  expect(tableText({ columns: ["a"], rows: [] })).toBe("a\n-\n(0 rows)\n\n");
  expect(tableText({ columns: [], rows: [[]] })).toBe("");
});
