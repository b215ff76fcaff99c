import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputGuard, printable, withoutPasswords } from "./format-values.ts";

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

test("a long text is cut, and says by how much", () => {
  expect(printable("x".repeat(2_000))).toBe("x".repeat(2_000));
  expect(printable(`${"x".repeat(2_000)}\u001b${"y".repeat(9_999)}`)).toBe(
    `${"x".repeat(2_000)}… (10,000 more characters)`,
  );
});

/** What GitHub Actions and Azure Pipelines read as a command. */
const COMMAND = /^\s*::|##\w*\[/m;

test.each([
  ["::error::x", ":\\u003aerror::x"],
  ["a\n  ::set-output name=a::b", "a\n  :\\u003aset-output name=a::b"],
  [
    "##[error]x ##vso[task] ##teamcity[x]",
    "##\\u005berror]x ##vso\\u005btask] ##teamcity\\u005bx]",
  ],
  ["a\r::warning::x", "a\\u000d::warning::x"],
  ["\u001b[2J\u001b]0;title\u0007\u202e", "\\u001b[2J\\u001b]0;title\\u0007\\u202e"],
])("escapes what begins a command or controls a terminal in %j", (text, escaped) => {
  expect(new OutputGuard(false).pass(text)).toBe(escaped);
});

test("passes ordinary text, and on a terminal colours and the line of progress", () => {
  const text = 'client 0: update t set a = b::text where c ~ "[a]" # [x]\n\t日本 👩‍⚕️\n';
  expect(new OutputGuard(false).pass(text)).toBe(text);
  const coloured = "\u001b[1m\u001b[31mFAIL\u001b[39m\u001b[22m\r\u001b[2K1 of 2 runs";
  expect(new OutputGuard(true).pass(coloured)).toBe(coloured);
  expect(new OutputGuard(true).pass("\u001b[2J\u001b[31m")).toBe("\\u001b[2J\u001b[31m");
});

test("no command remains, however the text is split into pieces", () => {
  const piece = fc.string({
    unit: fc.constantFrom(":", "#", "[", " ", "\n", "\r", "a", "…", "\u001b"),
  });
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const guard = new OutputGuard(false);
      const passed = pieces.map((text) => guard.pass(text)).join("");
      expect(passed).not.toMatch(COMMAND);
      expect(passed.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test("JSON keeps its meaning", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = { value: JSON.parse(json), text: "##[error]\u202e ::x" };
      const passed = new OutputGuard(false).pass(JSON.stringify(value, null, 2));
      expect(JSON.parse(passed)).toEqual(value);
    }),
    { seed: 1 },
  );
});

test.each([
  "postgres://ada:s3cret@host/db",
  "postgres://ada:s3/c@ret@host/db",
  "postgres://ada:s3 cret@host/db",
  "postgresql:ada:s3cret@host",
  "ada:s3cret@host:5432/db",
  "postgres:///db?user=ada&password=s3cret&sslmode=disable",
  "host=x password='s3 cret' user=ada",
  "host=x password = s3cret",
  "http://ada:s3cret@[::1",
])("a password is not shown, however its URL is written: %s", (url) => {
  const shown = withoutPasswords(`the URL ${url} is wrong: see [USAGE]`);
  expect(shown).not.toMatch(/s3|cret/);
  expect(shown).toMatch(/^the URL .* is wrong: see \[USAGE\]$/);
});

test("text without a password stays as it is", () => {
  const text =
    "cannot connect to ada@host:5432/db (28P01): password authentication failed; a.ts:12:3";
  expect(withoutPasswords(text)).toBe(text);
});
