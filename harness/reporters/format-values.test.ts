import fc from "fast-check";
import { expect, test } from "vitest";
import { printable } from "./format-values.ts";

test("leaves text of every script, and emoji, as they are", () => {
  for (const text of ["Ada O'Brien <a@b>", "עברית", "نور", "日本", "👩‍⚕️ 🩺", "é"]) {
    expect(printable(text)).toBe(text);
  }
});

test("shows what a terminal would obey and what turns the text round", () => {
  expect(printable("a\u001b[2Jb")).toBe("a\\u001b[2Jb");
  expect(printable("a\nb\tc\r")).toBe("a\\nb\\tc\\r");
  expect(printable("\u202edrowssap\u2066")).toBe("\\u202edrowssap\\u2066");
  expect(printable("\u0000\u009b\u2028")).toBe("\\u0000\\u009b\\u2028");
  expect(printable("\ud83d")).toBe("\\ud83d");
});

test("never lets a control character through", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    }),
  );
});
