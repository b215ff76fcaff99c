import { expect, test } from "vitest";
import type { Task } from "../core/schedule.ts";
import type { Result, Trace, TraceEvent } from "../core/trace.ts";
import { exportedSteps, sessionName } from "./reproduction.ts";

const move = (task: Task): TraceEvent => ({
  type: "move",
  choice: { task, action: "release" },
  enabled: [{ task, action: "release" }],
  preemption: false,
});
const statement = (task: Task, sql: string): TraceEvent => ({
  type: "statement",
  task,
  statement: { sql, values: [] },
});
const gate = (task: Task): TraceEvent => ({
  type: "gate",
  task,
  place: { of: "public.pay()", line: 3, next: "update accounts" },
});
const done: Result = { tags: ["UPDATE 1"], transaction: "idle" };
const result = (task: Task): TraceEvent => ({ type: "result", task, result: done });

test("lists the statements in order, with their waits and results", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), result("0")],
    ...[move("1.1"), statement("1.1", "b"), { type: "wait", task: "1.1", for: ["0"] } as const],
    ...[move("0"), statement("0", "c"), result("0"), result("1.1")],
    ...[move("bg"), statement("bg", "d")],
  ];
  const { steps, obstacle } = exportedSteps(trace);
  expect(obstacle).toBeUndefined();
  expect(
    steps.map(({ number, task, statement: { sql }, waitsFor, result: answer }) =>
      [number, sessionName(task), sql, waitsFor.join(), answer?.tags.join()].join(" "),
    ),
  ).toEqual([
    "1 client0 a  UPDATE 1",
    "2 client1_1 b 0 UPDATE 1",
    "3 client0 c  UPDATE 1",
    "4 background d  ",
  ]);
});

test("a gate is no obstacle if no other task moves while a statement is held there", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), gate("0"), move("0"), gate("0"), move("0"), result("0")],
    ...[move("1"), statement("1", "b"), result("1")],
  ];
  expect(exportedSteps(trace).obstacle).toBeUndefined();
});

test("a task that moves while another is held inside a statement is an obstacle", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), gate("0")],
    ...[move("1"), statement("1", "b"), result("1"), move("0"), result("0")],
  ];
  expect(exportedSteps(trace).obstacle).toBe(
    "client1 moves while client0 is inside a statement (public.pay(), line 3), where only a gate of " +
      "Heddle can hold it",
  );
});

test("a fault is an obstacle", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), { type: "fault", task: "0", fault: "cancel" } as const],
  ];
  expect(exportedSteps(trace).obstacle).toBe(
    "a fault is injected into client0: the statement is cancelled",
  );
});
