import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BACKGROUND,
  type Choice,
  clientOf,
  entryOf,
  formatSchedule,
  isPreemption,
  parseEntry,
  parseSchedule,
  type Task,
  taskOf,
} from "./schedule.ts";

describe("a task's name", () => {
  test.each([
    [0, 0, "0"],
    [12, 0, "12"],
    [0, 1, "0.1"],
    [3, 11, "3.11"],
    [-1, 0, BACKGROUND],
    [-1, 2, "bg.2"],
  ])("of client %i, statement %i is %s, and leads back to the client", (client, ordinal, task) => {
    expect(taskOf(client, ordinal)).toBe(task);
    expect(clientOf(task)).toBe(client);
  });
});

test("a fault is written after its task", () => {
  expect(entryOf({ task: "0.1", action: "release" })).toBe("0.1");
  expect(entryOf({ task: "0.1", action: "cut-after" })).toBe("0.1!cut-after");
  expect(parseEntry("0.1!cut-after")).toEqual({ task: "0.1", fault: "cut-after", free: false });
  expect(parseEntry("bg")).toEqual({ task: "bg", fault: undefined, free: false });
  expect(clientOf("3!cancel")).toBe(3);
});

describe("a schedule as text", () => {
  const task = fc.tuple(fc.integer({ min: -1, max: 40 }), fc.nat(3)).map(([c, o]) => taskOf(c, o));
  const actions = fc.constantFrom<Choice["action"]>("release", "release", "cut-before", "cancel");
  const entries = fc.array(fc.record({ task, action: actions }).map(entryOf));

  test("parses to the same schedule", () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(parseSchedule(formatSchedule({ version: 1, entries: list }))).toEqual({
          version: 1,
          entries: list,
        });
      }),
    );
  });

  test("counts repeated entries", () => {
    const list = ["0", "0", "0", "1", "0", "0", "0.1", "bg", "bg"];
    expect(formatSchedule({ version: 1, entries: list })).toBe("0*3 1 0*2 0.1 bg*2");
    const faults = ["0", "0!cancel", "0!cancel", "0"];
    expect(formatSchedule({ version: 1, entries: faults })).toBe("0 0!cancel*2 0");
  });

  test("marks the steps that run at the same time as the next one", () => {
    const list = [entryOf({ task: "0.1", action: "release", free: true }), "1", "1"];
    expect(parseEntry(list[0] ?? "")).toEqual({ task: "0.1", fault: undefined, free: true });
    expect(formatSchedule({ version: 1, entries: list })).toBe("0.1+ 1*2");
    expect(parseSchedule("0.1+ 1*2")?.entries).toEqual(list);
  });

  test("may be long", () => {
    expect(parseSchedule("0*999999 1")?.entries).toHaveLength(1_000_000);
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
    "0++",
    "+0",
    "0!cancel+",
  ])("is refused if it is invalid: %j", (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  });
});

describe("a preemption", () => {
  const choice = (task: Task, action: Choice["action"]): Choice => ({ task, action });

  test.each<[string, Task | undefined, Task, Choice[]]>([
    ["a held statement is left", "0", "1", [choice("0", "release"), choice("1", "start")]],
    ["an answer is left", "0", "1", [choice("0", "deliver"), choice("1", "release")]],
    [
      "another task of the client is left",
      "0",
      "1",
      [choice("0.1", "release"), choice("1", "start")],
    ],
    [
      "a task other than the first is left",
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
  ])("is counted: %s", (_, previous, chosen, enabled) => {
    expect(isPreemption(previous, chosen, enabled)).toBe(true);
  });

  test.each<[string, Task | undefined, Task, Choice[]]>([
    ["no task moved before", undefined, "1", [choice("0", "start"), choice("1", "start")]],
    ["the same client continues", "0", "0", [choice("0", "release"), choice("1", "start")]],
    ["with another of its tasks", "0", "0.1", [choice("0", "release"), choice("0.1", "release")]],
    ["it is between two operations", "0", "1", [choice("0", "start"), choice("1", "release")]],
    ["it cannot continue", "0", "1", [choice("1", "release")]],
    ["client 10 is not client 1", "1", "2", [choice("10", "release"), choice("2", "release")]],
  ])("is not counted: %s", (_, previous, chosen, enabled) => {
    expect(isPreemption(previous, chosen, enabled)).toBe(false);
  });
});
