import { expect, test } from "vitest";
import { gatePlace } from "./gate-locks.ts";

const fields = (code: string, severity: string, message: string) =>
  new Map([
    ["C", code],
    ["V", severity],
    ["M", message],
  ]);

test("the message of a gate gives its place and parity", () => {
  expect(gatePlace(fields("HD001", "INFO", "12 0"))).toEqual({ place: 12, parity: 0 });
  expect(gatePlace(fields("HD001", "INFO", "-3 1"))).toEqual({ place: -3, parity: 1 });
});

test.each([
  ["another SQLSTATE", fields("00000", "INFO", "12 0")],
  ["another severity", fields("HD001", "ERROR", "12 0")],
  ["another message", fields("HD001", "INFO", "12 2")],
  ["text before the place", fields("HD001", "INFO", "x 12 0")],
  ["no fields", new Map<string, string>()],
])("a message with %s is not of a gate", (_, notice) => {
  expect(gatePlace(notice)).toBeUndefined();
});
