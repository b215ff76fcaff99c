import fc from "fast-check";
import { expect, test } from "vitest";
import { printable } from "./format-values.ts";

test("text of every script and emoji stay as they are", () => {
  for (const text of ["Ada O'Brien <a@b>", "עברית", "نور", "日本", "👩‍⚕️ 🩺", "é"]) {
    expect(printable(text)).toBe(text);
  }
});

test("control characters and marks for the direction of writing are escaped", () => {
  expect(printable("a\u001b[2Jb")).toBe("a\\u001b[2Jb");
  expect(printable("a\nb\tc\r")).toBe("a\\nb\\tc\\r");
  expect(printable("\u202edrowssap\u2066")).toBe("\\u202edrowssap\\u2066");
  expect(printable("\u0000\u009b\u2028")).toBe("\\u0000\\u009b\\u2028");
  expect(printable("\ud83d")).toBe("\\ud83d");
});

test("no control character remains", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    }),
  );
});
