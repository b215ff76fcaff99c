import { expect, test } from "vitest";
import type { Response } from "../core/history.ts";
import { expectsCode, isExpected } from "./expected-error.ts";
import { responseOf } from "./outcome.ts";
import { type ExpectedError, expectedErrorsProblem } from "./scenario-definition.ts";

/** What each kind of client may answer with. */
const THROWN = responseOf({ error: "23505", message: "duplicate key value" });
const OF_CLASS = responseOf({ error: "SoldOut", message: "no seat is left" });
const PROGRAM = responseOf({
  error: "EXIT_1",
  message:
    "Traceback (most recent call last):\n  a.py\npsycopg.errors.UniqueViolation: duplicate key",
});
const REQUEST = responseOf({ status: 503, value: { error: { title: "try again" } } });
const TEXT = responseOf({ status: 500, value: "deadlock detected" });

test.each<[Response, readonly ExpectedError[]]>([
  [THROWN, ["23505"]],
  [THROWN, ["unique_violation"]],
  [THROWN, ["duplicate key value"]],
  [THROWN, ["40001", /^duplicate/]],
  [OF_CLASS, ["SoldOut"]],
  [OF_CLASS, [/seat/]],
  [PROGRAM, ["EXIT_1"]],
  [PROGRAM, ["psycopg.errors.UniqueViolation: duplicate key"]],
  [PROGRAM, [/UniqueViolation/]],
  [REQUEST, ["503"]],
  [REQUEST, [/try again/]],
  [TEXT, [/deadlock/i]],
  [TEXT, ["deadlock detected"]],
])("%j is expected by %j", (response, errors) => {
  expect(isExpected(response, errors)).toBe(true);
  expect(isExpected(response, errors)).toBe(true);
});

test.each<[Response, readonly ExpectedError[]]>([
  [THROWN, []],
  [THROWN, ["", "2350", "duplicate", "serialization_failure"]],
  [OF_CLASS, [/^seat/, "soldout"]],
  [PROGRAM, ["unique_violation", "EXIT_2"]],
  [REQUEST, ["500", "try again"]],
  [responseOf({ status: 500, value: null }), [/null/, ""]],
])("%j is not expected by %j", (response, errors) => {
  expect(isExpected(response, errors)).toBe(false);
});

test("a pattern with a position of its own is found each time", () => {
  const sticky = /key/g;
  expect([1, 2, 3].map(() => isExpected(THROWN, [sticky]))).toEqual([true, true, true]);
});

test("a code is expected by itself and by its name", () => {
  expect(expectsCode("40001", ["serialization_failure"])).toBe(true);
  expect(expectsCode("40001", ["40001"])).toBe(true);
  expect(expectsCode("40001", [/40001/, "deadlock_detected"])).toBe(false);
});

test("anything but texts and patterns is refused", () => {
  expect(expectedErrorsProblem(["40001", /a/])).toBeUndefined();
  for (const value of ["40001", [40001], [null]])
    expect(expectedErrorsProblem(value)).toMatch(/not a list of codes/);
});
