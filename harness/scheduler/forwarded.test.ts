import { expect, test } from "vitest";
import type { Scenario } from "../core/scenario.ts";
import type { Choice } from "../core/schedule.ts";
import { forwarded } from "./forwarded.ts";
import { RandomWalk } from "./random.ts";
import { RandomFaults } from "./random-faults.ts";
import type { Scheduler } from "./scheduler.ts";

const scenario: Scenario = { initial: null, clients: [[{ name: "a" }]] };
const choice: Choice = { task: "0", action: "release" };
const fault: Choice = { task: "0", action: "cancel" };
const footprintOf = () => undefined;

/** A scheduler that has each member, and notes its calls. */
function noting(calls: unknown[]): Required<Scheduler> {
  const note =
    <T>(name: string, result: T) =>
    (...given: unknown[]): T => {
      calls.push([name, ...given]);
      return result;
    };
  return {
    fair: false,
    begin: note("begin", true),
    choose: note("choose", choice),
    goesOn: note("goesOn", undefined),
    observe: note("observe", undefined),
    footprintsGrew: note("footprintsGrew", undefined),
    delayMs: note("delayMs", 1.5),
    inject: note("inject", fault),
  };
}

/** Calls each member but `inject`, which wrapping schedulers change. */
function callAll(scheduler: Required<Scheduler>): readonly unknown[] {
  return [
    scheduler.fair,
    scheduler.begin(scenario),
    scheduler.choose([choice], "1", footprintOf, ["2"]),
    scheduler.goesOn(choice),
    scheduler.observe([], undefined),
    scheduler.footprintsGrew(true),
    scheduler.delayMs(),
  ];
}

const CALLS = [
  ["begin", scenario],
  ["choose", [choice], "1", footprintOf, ["2"]],
  ["goesOn", choice],
  ["observe", [], undefined],
  ["footprintsGrew", true],
  ["delayMs"],
];

test.each([
  ["alone", forwarded],
  ["by one that injects faults", (one: Scheduler) => new RandomFaults(one, ["cancel"], 1)],
])("each member of a scheduler is forwarded %s, with what it is given", (_, wrap) => {
  const calls: unknown[] = [];
  expect(callAll(wrap(noting(calls)))).toEqual([
    ...[false, true, choice, undefined, undefined, undefined, 1.5],
  ]);
  expect(calls).toEqual(CALLS);
});

test("so is the injection of a fault", () => {
  const calls: unknown[] = [];
  expect(forwarded(noting(calls)).inject([fault], [choice])).toBe(fault);
  expect(calls).toEqual([["inject", [fault], [choice]]]);
});

test("what a scheduler lacks has its default", () => {
  const one = forwarded(new RandomWalk(1));
  expect(one.fair).toBe(true);
  expect(one.delayMs()).toBe(0);
  expect(one.inject([fault], [choice])).toBeUndefined();
});
