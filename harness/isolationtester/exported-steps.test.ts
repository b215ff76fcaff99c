import { expect, test } from "vitest";
import type { Task } from "../core/schedule.ts";
import type { Result, Trace, TraceEvent } from "../core/trace.ts";
import { sessionName, storyOf } from "./exported-steps.ts";

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

test("a story has the statements in order, with their waits and answers", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), result("0")],
    ...[move("1.1"), statement("1.1", "b"), { type: "wait", task: "1.1", for: ["0"] } as const],
    ...[move("0"), statement("0", "c"), result("0"), result("1.1")],
    ...[move("bg"), statement("bg", "d")],
  ];
  const { steps, obstacle } = storyOf(trace);
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

test("a gate is no obstacle as long as nobody else moves meanwhile", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), gate("0"), move("0"), gate("0"), move("0"), result("0")],
    ...[move("1"), statement("1", "b"), result("1")],
  ];
  expect(storyOf(trace).obstacle).toBeUndefined();
});

test("somebody who moves while another stands inside a statement is one", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), gate("0")],
    ...[move("1"), statement("1", "b"), result("1"), move("0"), result("0")],
  ];
  expect(storyOf(trace).obstacle).toBe(
    "client1 moves while client0 stands inside a statement (public.pay(), line 3), where only " +
      "Heddle can hold it",
  );
});

test("so is a fault", () => {
  const trace: Trace = [
    ...[move("0"), statement("0", "a"), { type: "fault", task: "0", fault: "cancel" } as const],
  ];
  expect(storyOf(trace).obstacle).toBe("client0 is struck by a fault: the statement is cancelled");
});
