import fc from "fast-check";
import { expect, test } from "vitest";
import { wrap } from "./terminal.ts";

test("wrap breaks between words", () => {
  expect(wrap("the slot is free", 8)).toEqual(["the slot", "is free"]);
  expect(wrap("", 8)).toEqual([""]);
});

test("wrap cuts a word that is too long", () => {
  expect(wrap("ab cdefghij k", 4)).toEqual(["ab", "cdef", "ghij", "k"]);
});

test("wrap loses only spaces, and keeps to the width", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (text, width) => {
      const lines = wrap(text, width);
      expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }),
  );
});
