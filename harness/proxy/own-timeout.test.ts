import { expect, test } from "vitest";
import { OwnTimeout } from "./own-timeout.ts";

function after(...texts: readonly string[]): OwnTimeout {
  const timeout = new OwnTimeout();
  for (const text of texts) timeout.note(text);
  return timeout;
}

test.each([
  ["set local lock_timeout = '3ms'", true],
  ["SET LOCK_TIMEOUT TO 50", true],
  ["set statement_timeout='100ms'", true],
  ["select set_config('lock_timeout', '20ms', true)", true],
  ["\0\0user\0ada\0lock_timeout\x0020\0\0", true],
  ["\0\0user\0ada\0options\0-c statement_timeout=20\0\0", true],
  ["set lock_timeout = '101ms'", false],
  ["set lock_timeout = '5s'", false],
  ["set lock_timeout = 0", false],
  ["set deadlock_timeout = '1ms'", false],
  ["set lock_timeout to default", false],
  ["select 'lock' from timeouts where ms = 3", false],
])("%j sets a short timeout: %s", (text, isShort) => {
  expect(after(text).isShort).toBe(isShort);
});

test("the last setting of a name counts, and each name for itself", () => {
  expect(after("set lock_timeout = 5", "set lock_timeout = '5s'").isShort).toBe(false);
  expect(after("set lock_timeout = 5", "set statement_timeout = '5s'").isShort).toBe(true);
});

test("a local setting ends with its transaction", () => {
  const local = after("set local lock_timeout = 5");
  local.noteTransaction("open");
  expect(local.isShort).toBe(true);
  local.noteTransaction("idle");
  expect(local.isShort).toBe(false);
  const ofSession = after("set lock_timeout = 5");
  ofSession.noteTransaction("idle");
  expect(ofSession.isShort).toBe(true);
});

test("a wait that goes on for longer disproves it, until it is set again", () => {
  const timeout = after("set lock_timeout = 5");
  timeout.disproved();
  expect(timeout.isShort).toBe(false);
  timeout.note("set lock_timeout = 5");
  expect(timeout.isShort).toBe(true);
});
