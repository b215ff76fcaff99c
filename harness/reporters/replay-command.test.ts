import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import {
  mainViolation,
  replayCommand,
  replayCommandIn,
  replayFileName,
  replayFilePath,
} from "./replay-command.ts";

test("names the file after the service, the mutant, the violation and the content", () => {
  expect(replayFileName(doubleBooking)).toMatch(
    /^counterexamples\/booking-check-then-insert-slot_with_several_bookings-[0-9a-f]{8}\.json$/,
  );
  expect(replayFileName({ ...doubleBooking, mutant: null })).toContain("booking-service-slot");
  expect(replayFileName({ ...doubleBooking, seed: 2 })).not.toBe(replayFileName(doubleBooking));
});

test("the file stays in its folder, whatever the names are", () => {
  const name = replayFileName({
    ...doubleBooking,
    service: "../../etc/Päss\u0000 wd",
    mutant: "//",
  });
  expect(name).toMatch(/^counterexamples\/etc-p-ss-wd-unnamed-[\w-]+\.json$/);
});

test("quotes the path for a shell if necessary", () => {
  const file = replayFilePath("reports", doubleBooking);
  expect(file).toBe(`reports/${replayFileName(doubleBooking)}`);
  expect(replayCommand(file)).toBe(`npx heddle replay ${file}`);
  expect(replayCommand("it's; rm")).toBe("npx heddle replay 'it'\\''s; rm'");
});

test("has the options by which a replay finds the service", () => {
  const file = replayFilePath("reports", doubleBooking);
  expect(replayCommandIn("reports", doubleBooking)).toBe(`npx heddle replay ${file}`);
  const replayWith = ["--service", "./my shop.mjs"];
  expect(replayCommandIn("reports", { ...doubleBooking, replayWith })).toMatch(
    /^npx heddle replay reports\/\S+ --service '\.\/my shop\.mjs'$/,
  );
});

test("refuses a counterexample without a violation", () => {
  expect(() => mainViolation({ ...doubleBooking, violations: [] })).toThrow(HarnessError);
});
