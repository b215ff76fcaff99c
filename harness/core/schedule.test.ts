import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BACKGROUND,
  type Choice,
  clientOf,
  entryOf,
  formatSchedule,
  isPreemption,
  type Lane,
  laneOf,
  parseSchedule,
  partsOf,
} from "./schedule.ts";

describe("a lane's name", () => {
  test.each([
    [0, 0, "0"],
    [12, 0, "12"],
    [0, 1, "0.1"],
    [3, 11, "3.11"],
    [-1, 0, BACKGROUND],
    [-1, 2, "bg.2"],
  ])("of client %i, statement %i is %s, and leads back to the client", (client, ordinal, lane) => {
    expect(laneOf(client, ordinal)).toBe(lane);
    expect(clientOf(lane)).toBe(client);
  });
});

test("a fault is written behind the lane that it strikes", () => {
  expect(entryOf({ lane: "0.1", action: "release" })).toBe("0.1");
  expect(entryOf({ lane: "0.1", action: "cut-after" })).toBe("0.1!cut-after");
  expect(partsOf("0.1!cut-after")).toEqual({ lane: "0.1", fault: "cut-after" });
  expect(partsOf("bg")).toEqual({ lane: "bg", fault: undefined });
  expect(clientOf("3!cancel")).toBe(3);
});

describe("a schedule as text", () => {
  const lane = fc.tuple(fc.integer({ min: -1, max: 40 }), fc.nat(3)).map(([c, o]) => laneOf(c, o));
  const actions = fc.constantFrom<Choice["action"]>("release", "release", "cut-before", "cancel");
  const lanes = fc.array(fc.record({ lane, action: actions }).map(entryOf));

  test("is read back as what it was", () => {
    fc.assert(
      fc.property(lanes, (list) => {
        expect(parseSchedule(formatSchedule({ version: 1, lanes: list }))).toEqual({
          version: 1,
          lanes: list,
        });
      }),
    );
  });

  test("counts what repeats", () => {
    const list = ["0", "0", "0", "1", "0", "0", "0.1", "bg", "bg"];
    expect(formatSchedule({ version: 1, lanes: list })).toBe("0*3 1 0*2 0.1 bg*2");
    const faults = ["0", "0!cancel", "0!cancel", "0"];
    expect(formatSchedule({ version: 1, lanes: faults })).toBe("0 0!cancel*2 0");
  });

  test("may be long", () => {
    expect(parseSchedule("0*999999 1")?.lanes).toHaveLength(1_000_000);
  });

  test.each([
    "x",
    "0*",
    "*2",
    "-1",
    "0..1",
    "bg2",
    "0 1,2",
    "0*2*3",
    "0*0",
    "1.5.2",
    "0\n1",
    "0!",
    "!cancel",
    "0!burn",
    "0!toString",
  ])("is refused when it is none: %j", (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  });
});

describe("a preemption", () => {
  const choice = (lane: Lane, action: Choice["action"]): Choice => ({ lane, action });

  test.each<[string, Lane | undefined, Lane, Choice[]]>([
    ["a held statement is left", "0", "1", [choice("0", "release"), choice("1", "start")]],
    ["an answer is left", "0", "1", [choice("0", "deliver"), choice("1", "release")]],
    [
      "another lane of the client is left",
      "0",
      "1",
      [choice("0.1", "release"), choice("1", "start")],
    ],
    [
      "a lane other than the first is left",
      "0.1",
      "1",
      [choice("0", "release"), choice("1", "start")],
    ],
    ["the background is left", "bg", "0", [choice("0", "start"), choice("bg", "release")]],
    [
      "the client is left for the background",
      "0",
      "bg",
      [choice("0", "release"), choice("bg", "release")],
    ],
  ])("is one: %s", (_, previous, chosen, enabled) => {
    expect(isPreemption(previous, chosen, enabled)).toBe(true);
  });

  test.each<[string, Lane | undefined, Lane, Choice[]]>([
    ["nobody moved before", undefined, "1", [choice("0", "start"), choice("1", "start")]],
    ["the same client goes on", "0", "0", [choice("0", "release"), choice("1", "start")]],
    ["with another of its lanes", "0", "0.1", [choice("0", "release"), choice("0.1", "release")]],
    ["it is between two commands", "0", "1", [choice("0", "start"), choice("1", "release")]],
    ["it cannot go on", "0", "1", [choice("1", "release")]],
    ["client 10 is not client 1", "1", "2", [choice("10", "release"), choice("2", "release")]],
  ])("is none: %s", (_, previous, chosen, enabled) => {
    expect(isPreemption(previous, chosen, enabled)).toBe(false);
  });
});
