import { expect, test } from "vitest";
import type { Choice } from "../core/schedule.ts";
import { FaultSweep } from "./fault-sweep.ts";

const fault = (task: string, action: Choice["action"]): Choice => ({ task, action });
/** The faults that are possible at each step of an execution. */
const STEPS = [
  [],
  [fault("0", "cancel"), fault("0", "terminate")],
  [fault("0", "cancel"), fault("1", "cancel")],
];

/** For each execution, what is injected at each step. */
function executionsOf(sweep: FaultSweep, steps = STEPS): readonly string[] {
  const executions: string[] = [];
  while (sweep.begin()) {
    const injected = steps.map((faults) => {
      const choice = sweep.inject(faults);
      return choice === undefined ? "-" : `${choice.task} ${choice.action}`;
    });
    executions.push(injected.join(", "));
  }
  return executions;
}

test("a sweep injects each kind at each place, one per execution, after one without a fault", () => {
  expect(executionsOf(new FaultSweep(["cancel", "terminate"]))).toEqual([
    "-, -, -",
    "-, 0 cancel, -",
    "-, -, 0 cancel",
    "-, -, 1 cancel",
    "-, 0 terminate, -",
  ]);
});

test("a sweep of kinds that are never possible has one execution", () => {
  expect(executionsOf(new FaultSweep(["crash"]))).toEqual(["-, -, -"]);
  expect(executionsOf(new FaultSweep(["cancel"]), [])).toEqual([""]);
});

test("a sweep never preempts, and fails if no task is enabled", () => {
  const sweep = new FaultSweep(["cancel"]);
  const enabled: Choice[] = [
    { task: "0", action: "start" },
    { task: "1", action: "release" },
  ];
  expect(sweep.choose(enabled, "1").task).toBe("1");
  expect(sweep.choose(enabled, undefined).task).toBe("0");
  expect(() => sweep.choose([], undefined)).toThrow("choose from nothing");
});
