import { expect, test } from "vitest";
import { gatePlace } from "./gate-locks.ts";

const fields = (code: string, severity: string, message: string) =>
  new Map([
    ["C", code],
    ["V", severity],
    ["M", message],
  ]);

test("a backend at a gate is understood", () => {
  expect(gatePlace(fields("HD001", "INFO", "12 0"))).toEqual({ place: 12, turn: 0 });
  expect(gatePlace(fields("HD001", "INFO", "-3 1"))).toEqual({ place: -3, turn: 1 });
});

test.each([
  ["another SQLSTATE", fields("00000", "INFO", "12 0")],
  ["another severity", fields("HD001", "ERROR", "12 0")],
  ["another message", fields("HD001", "INFO", "12 2")],
  ["more than the message", fields("HD001", "INFO", "x 12 0")],
  ["nothing", new Map<string, string>()],
])("%s is no gate", (_, notice) => {
  expect(gatePlace(notice)).toBeUndefined();
});
