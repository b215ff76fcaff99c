import { expect, test } from "vitest";
import type { Choice } from "../core/schedule.ts";
import { FaultSweep } from "./fault-sweep.ts";

test("a sweep strikes once in each execution, at the next place, until none is left", () => {
  const sweep = new FaultSweep("cancel");
  const cancel = (task: string): Choice => ({ task, action: "cancel" });
  const places = [
    [],
    [cancel("0"), { task: "0", action: "terminate" }],
    [cancel("0"), cancel("1")],
  ];
  const seen: string[] = [];
  while (sweep.begin()) {
    const struck = places.map((faults) => sweep.inject(faults as Choice[])?.task ?? "-");
    seen.push(struck.join(""));
  }
  expect(seen).toEqual(["-0-", "--0", "--1", "---"]);
});

test("clients come one after the other, and it cannot choose from nothing", () => {
  const sweep = new FaultSweep("cancel");
  const enabled: Choice[] = [
    { task: "0", action: "start" },
    { task: "1", action: "release" },
  ];
  expect(sweep.choose(enabled, "1").task).toBe("1");
  expect(sweep.choose(enabled, undefined).task).toBe("0");
  expect(() => sweep.choose([], undefined)).toThrow("choose from nothing");
});
