import { expect, test } from "vitest";
import type { Action } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import { decodeCounterexample, encodeCounterexample } from "../explorer/counterexample-file.ts";
import { deadlock, doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { decodeToken, encodeToken } from "../explorer/token.ts";
import { spaceTimeDiagram } from "./html/space-time.ts";
import { timelineTable } from "./html/timeline.ts";
import { narrative } from "./narrative.ts";
import { counterexampleText } from "./text.ts";
import { clientsIn, timeline } from "./timeline.ts";

const stepsOf = (trace: readonly TraceEvent[]) =>
  timeline({ trace }).map(({ number, task, events }) => {
    return `${number} ${task}: ${events.map((h) => `${h.task} ${h.type}`).join(", ")}`;
  });

test("a step has the events of the chosen client and of others", () => {
  expect(stepsOf(doubleBooking.trace)).toEqual([
    "1 0: 0 operation",
    "2 0: 0 statement",
    "3 0: 0 statement",
    "4 1: 1 operation",
    "5 1: 1 statement",
    "6 1: 1 statement",
    "7 1: 1 statement",
    "8 1: 1 statement",
    "9 0: 0 statement",
    "10 0: 0 statement, 0 wait",
    "11 1: 1 statement, 0 result, 1 response",
    "12 0: 0 deliver",
    "13 0: 0 statement, 0 response",
  ]);
});

test("a deadlock is two waits, an error, and a result", () => {
  expect(stepsOf(deadlock.trace)).toEqual([
    "1 0: 0 operation",
    "2 1: 1 operation",
    "3 0: 0 statement, 0 wait",
    "4 1: 1 statement, 1 wait, 1 result, 0 result, 1 response",
    "5 0: 0 deliver, 0 response",
  ]);
});

const release = (task: string): TraceEvent => {
  const choice = { task, action: "release" } as const;
  return { type: "move", choice, enabled: [choice], preemption: false };
};
const statement = (task: string): TraceEvent => ({
  ...{ type: "statement", task, statement: { sql: "update t set x = 1", values: [] } },
});
const commit = (task: string, error?: { sqlstate: string; message: string }): TraceEvent => ({
  ...{ type: "result", task, result: { tags: [], transaction: "idle", ...(error && { error }) } },
});

const goesOn = (task: string): TraceEvent => ({ ...release(task), private: true }) as TraceEvent;
const reached = (task: string, sql: string, error?: string): TraceEvent[] => [
  { type: "statement", task, statement: { sql, values: [] } },
  {
    ...{ type: "result", task },
    result: {
      tags: error === undefined ? [sql] : [],
      transaction: "open",
      ...(error !== undefined && { error: { sqlstate: error, message: "" } }),
    },
  },
];

test("a step that touches nothing shared belongs to the one before, and several become one event", () => {
  const trace = [
    release("0"),
    ...reached("0", "a"),
    ...[goesOn("0"), ...reached("0", "begin")],
    ...[goesOn("0"), ...reached("0", "set x")],
    ...[goesOn("0"), ...reached("0", "set y")],
    ...[goesOn("0"), ...reached("0", "set z", "22023")],
    release("1"),
    ...reached("1", "b"),
    ...[goesOn("1"), ...reached("1", "select 1")],
  ];
  const steps = timeline({ trace });
  expect(steps.map(({ number, events }) => [number, events.map(({ type }) => type)])).toEqual([
    [1, ["statement", "private", "statement"]],
    [2, ["statement", "statement"]],
  ]);
  expect(steps[0]?.events[1]).toMatchObject({
    statements: ["begin", "set x", "set y"].map((sql) => ({ statement: { sql } })),
  });
});

test("the last commit of the step violates the rule", () => {
  const violation = { checker: "invariant", name: "one", message: "", evidence: [] };
  const broken = (...events: TraceEvent[]) =>
    timeline({
      trace: [
        statement("0"),
        release("0"),
        { type: "wait", task: "0", for: ["1"] },
        statement("1"),
        ...events,
      ],
      violations: [violation],
      brokenAt: 3,
    })
      .flatMap(({ events }) => events)
      .find(({ type }) => type === "broken")?.task;
  expect(broken(release("1"), commit("1"), commit("0"))).toBe("0");
  const refused = commit("0", { sqlstate: "23505", message: "" });
  expect(broken(release("1"), commit("1"), refused)).toBe("1");
});

test("a step names the preempted client, and the clients in a transaction", () => {
  const steps = timeline(doubleBooking);
  expect(steps.flatMap((s) => (s.preempts === undefined ? [] : [[s.number, s.preempts]]))).toEqual([
    [4, 0],
    [9, 1],
  ]);
  const inside = (client: number) =>
    steps.filter((s) => s.inTransaction.has(client)).map((s) => s.number);
  expect(inside(0)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  expect(inside(1)).toEqual([5, 6, 7, 8, 9, 10, 11]);
});

test("a result belongs to its statement, or comes later if the statement waited", () => {
  const steps = timeline(doubleBooking);
  expect(steps[1]?.events[0]).toMatchObject({ result: { tags: ["BEGIN"] } });
  expect(steps[9]?.events[0]).not.toHaveProperty("result");
  expect(steps[10]?.events[1]).toMatchObject({
    task: "0",
    statement: { values: ["1"] },
    result: { tags: ["UPDATE 1"] },
  });
});

test("events before the first choice belong to the background", () => {
  const statement = { sql: "select 1", values: [] };
  expect(
    stepsOf([
      { type: "statement", task: "bg", statement },
      { type: "result", task: "bg", result: { tags: ["SELECT 1"], transaction: "idle" } },
      { type: "move", choice: { task: "0", action: "start" }, enabled: [], preemption: false },
      { type: "result", task: "0", result: { tags: [], transaction: "idle" } },
    ]),
  ).toEqual(["1 bg: bg statement", "2 0: "]);
});

test("a fault is an event of its step, and a lost result is not delivered", () => {
  const enabled = [] as const;
  const move = (action: Action): TraceEvent => {
    return { type: "move", choice: { task: "0", action }, enabled, preemption: false };
  };
  const sql = { sql: "commit", values: [] };
  const result = { tags: ["COMMIT"], transaction: "idle" } as const;
  const trace: TraceEvent[] = [
    move("cut-before"),
    { type: "fault", task: "0", fault: "cut-before", statement: sql },
    move("cut-after"),
    { type: "statement", task: "0", statement: sql },
    { type: "result", task: "0", result },
    { type: "fault", task: "0", fault: "cut-after" },
    move("deliver"),
    { type: "fault", task: "0", fault: "cut-after" },
  ];
  expect(stepsOf(trace)).toEqual(["1 0: 0 fault", "2 0: 0 statement, 0 fault", "3 0: 0 fault"]);
  const counterexample = { ...doubleBooking, trace };
  const text = counterexampleText(counterexample, { colour: false, folder: "." });
  expect(text).toContain(
    "the connection is cut, and the statement never reaches the server: commit",
  );
  expect(text).toContain("the connection is cut, and the service never receives the answer");
  expect(narrative(counterexample)[0]?.text).toContain(
    "Client 0 meets a fault (the connection is cut",
  );
  expect(spaceTimeDiagram(counterexample).markup).toContain(">cut-before</text>");
  const page = timelineTable({ trace }, 1, "faults").markup;
  expect(page).toContain("the statement never reaches the server: commit");
  const entries = ["0!cut-before", "0!cut-after", "0"];
  const schedule = { version: 1, entries } as const;
  const file = { ...counterexample, schedule };
  expect(decodeCounterexample(encodeCounterexample(file))).toEqual(file);
  expect(decodeToken(encodeToken(file)).schedule).toEqual(schedule);
});

test("a crash is an event of the server, and loses all results", () => {
  const move = (task: string, action: Action): TraceEvent => {
    return { type: "move", choice: { task, action }, enabled: [], preemption: false };
  };
  const sql = { sql: "begin", values: [] };
  const result = { tags: ["BEGIN"], transaction: "open" } as const;
  const trace: TraceEvent[] = [
    move("0", "release"),
    { type: "statement", task: "0", statement: sql },
    { type: "result", task: "0", result },
    move("bg", "crash"),
    { type: "fault", task: "bg", fault: "crash" },
    move("0", "deliver"),
    move("0", "release"),
    { type: "statement", task: "0", statement: sql },
    { type: "result", task: "0", result },
    move("0", "deliver"),
  ];
  const steps = [
    "1 0: 0 statement",
    "2 bg: bg fault",
    "3 0: ",
    "4 0: 0 statement",
    "5 0: 0 deliver",
  ];
  expect(stepsOf(trace)).toEqual(steps);
  expect(timeline({ trace }).map(({ inTransaction }) => inTransaction.size)).toEqual([
    1, 1, 0, 1, 1,
  ]);
  const counterexample = { ...doubleBooking, trace };
  expect(narrative(counterexample)[1]?.text).toContain("he server is killed, and started again on");
  expect(spaceTimeDiagram(counterexample).markup).toContain(">crash</text>");
  const schedule = { version: 1, entries: ["0", "bg!crash", "0!kill-after"] } as const;
  const file = { ...counterexample, schedule };
  expect(decodeCounterexample(encodeCounterexample(file))).toEqual(file);
  expect(decodeToken(encodeToken(file)).schedule).toEqual(schedule);
});

test("a request that continues without its client keeps its transaction and its waits", () => {
  const trace: TraceEvent[] = [
    { type: "move", choice: { task: "0", action: "release" }, enabled: [], preemption: false },
    { type: "statement", task: "0", statement: { sql: "begin", values: [] } },
    { type: "result", task: "0", result: { tags: ["BEGIN"], transaction: "open" } },
    { type: "statement", task: "0", statement: { sql: "update t", values: [] } },
    { type: "wait", task: "0", for: ["1"] },
    { type: "move", choice: { task: "0", action: "give-up" }, enabled: [], preemption: false },
    { type: "fault", task: "0", fault: "give-up", becomes: "2" },
    { type: "move", choice: { task: "1", action: "release" }, enabled: [], preemption: false },
    { type: "result", task: "2", result: { tags: ["UPDATE 1"], transaction: "open" } },
  ];
  const [, , last] = timeline({ trace });
  expect([...(last?.inTransaction ?? [])]).toEqual([2]);
  expect(last?.events[0]).toMatchObject({ type: "result", task: "2", waited: true });
  expect(clientsIn(timeline({ trace: [...trace, ...trace.slice(0, 1)] }), 2)).toEqual([0, 1]);
  const third: TraceEvent = {
    type: "move",
    choice: { task: "2", action: "deliver" },
    enabled: [],
    preemption: false,
  };
  expect(clientsIn(timeline({ trace: [...trace, third] }), 2)).toEqual([0, 1, 2]);
  const text = counterexampleText({ ...doubleBooking, trace }, { colour: false, folder: "." });
  expect(text).toContain("stops waiting, and its request continues as client 2");
});
