import { expect, test } from "vitest";
import type { TraceEvent } from "../core/trace.ts";
import { decodeCounterexample, encodeCounterexample } from "../explorer/counterexample-file.ts";
import { deadlock, doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { spaceTimeDiagram } from "./html/space-time.ts";
import { timelineTable } from "./html/timeline.ts";
import { narrative } from "./narrative.ts";
import { counterexampleText } from "./text.ts";

const texts = (c: typeof doubleBooking) => narrative(c).map(({ text }) => text);

test("a paragraph for each stretch of steps, with the pending work of the other client", () => {
  expect(narrative(doubleBooking).map(({ from, to }) => [from, to])).toEqual([
    [1, 3],
    [4, 8],
    [9, 10],
    [11, 11],
    [12, 13],
    [13, 13],
  ]);
  const [first, second, third, fourth, , end] = texts(doubleBooking);
  expect(first).toMatch(
    /^Client 0 sends `create .*`, runs `begin` and runs `select .*` \(1 row\)\.$/,
  );
  expect(second).toMatch(/^While client 0 has read but not yet written, client 1 sends /);
  expect(third).toMatch(/^While client 1 has written but not yet committed, client 0 runs /);
  expect(third).toMatch(/ and waits for a lock of client 1\.$/);
  expect(fourth).toMatch(/client 1 runs `commit`; then client 0 gets the lock \(1 row\); then/);
  expect(end).toBe("Result: Slot 1 has 2 active bookings. Bookings 1 and 2 of provider 1 overlap.");
});

test("names the step that violated the rule, if it is known", () => {
  const located = { ...doubleBooking, brokenAt: 11 };
  expect(texts(located)[3]).toMatch(
    /gets the response 201 CREATED and leaves a state that violates `slot_with_several_bookings`\.$/,
  );
  expect(texts(doubleBooking).join()).not.toContain("leaves a state");

  const text = counterexampleText(located, { colour: false, folder: "." });
  const [, after] = text.split("from this step on, the committed state violates");
  expect(after).toMatch(/^\s+│?\s*slot_with_several_bookings\n {2}12 {2}/);

  const marks = (c: typeof doubleBooking) =>
    [...spaceTimeDiagram(c).markup.matchAll(/class="broken" d="M\d+ ([\d.]+)H/g)].map(([, y]) =>
      Number(y),
    );
  expect(marks(located)).toHaveLength(1);
  expect(marks(located)[0]).toBeLessThan(marks(doubleBooking)[0] ?? 0);
  expect(timelineTable(located, 2, "").markup).toContain("from this step on");
  expect(decodeCounterexample(encodeCounterexample(located))).toEqual(located);
});

test("names the client that failed, and the error", () => {
  expect(texts(deadlock).join("\n")).toContain(
    "client 1 runs `select * from claim_slot_and_create_booking($1, $2, $3, $4, $5)`, waits for a lock of client 0 and stops waiting, which fails: deadlock detected; then client 0 gets the lock; then client 1 gets the response 500 INTERNAL_ERROR.".replace(
      /^c/,
      "C",
    ),
  );
});

test("of the gates that a client passes, only the last one is named", () => {
  const release = (task: string, preemption: boolean): TraceEvent => ({
    type: "move",
    choice: { task, action: "release" },
    enabled: [],
    preemption,
  });
  const gate = (task: string, line: number): TraceEvent => ({
    type: "gate",
    task,
    place: { of: "f()", line, next: "update t" },
  });
  const statement = { sql: "select f()", values: [] };
  const trace: TraceEvent[] = [
    release("0", false),
    { type: "statement", task: "0", statement },
    gate("0", 3),
    release("0", false),
    gate("0", 5),
    release("1", true),
    { type: "statement", task: "1", statement },
  ];
  const [first] = texts({ ...doubleBooking, trace });
  expect(first).toBe("Client 0 runs `select f()` and stops in `f(), line 5, before: update t`.");
});

/** The second paragraph of an execution in which client 0 runs a statement, and then client 1 another. */
function afterStatement(sql: string, tag: string): string | undefined {
  const release = (task: string): TraceEvent => ({
    type: "move",
    choice: { task, action: "release" },
    enabled: [],
    preemption: task === "1",
  });
  const result = { tags: [tag], transaction: "open" } as const;
  const trace: TraceEvent[] = [
    release("0"),
    { type: "statement", task: "0", statement: { sql, values: [] } },
    { type: "result", task: "0", result },
    release("1"),
    { type: "statement", task: "1", statement: { sql: "select 1", values: [] } },
  ];
  return texts({ ...doubleBooking, trace })[1];
}

test.each([
  ["select n from t", "SELECT 1", "has read but not yet written"],
  ["select count(*) from t where n in (1)", "SELECT 1", "has read but not yet written"],
  ["select reserve(1)", "SELECT 1", "has a transaction open"],
  ["call reserve(1)", "CALL", "has a transaction open"],
  ["create table t (n int)", "CREATE TABLE", "has written but not yet committed"],
  ["update t set n = 1", "UPDATE 1", "has written but not yet committed"],
  ["begin", "BEGIN", "has a transaction open"],
])("after %s, a client %s", (sql, tag, state) => {
  expect(afterStatement(sql, tag)).toMatch(new RegExp(`^While client 0 ${state}, client 1 runs`));
});

test.each([
  ["commit", "has not yet committed"],
  ["write a row", "has read but not yet written"],
])("a client that has read, and then stops before: %s, %s", (next, state) => {
  const release = (task: string): TraceEvent => ({
    type: "move",
    choice: { task, action: "release" },
    enabled: [],
    preemption: false,
  });
  const statement = (task: string, sql: string): TraceEvent => ({
    type: "statement",
    task,
    statement: { sql, values: [] },
  });
  const result = (tag: string): TraceEvent => ({
    type: "result",
    task: "0",
    result: { tags: [tag], transaction: "idle" },
  });
  const trace: TraceEvent[] = [
    release("0"),
    statement("0", "select n from t"),
    result("SELECT 1"),
    statement("0", "update t set n = 1"),
    { type: "gate", task: "0", place: { of: "t", line: null, next } },
    release("1"),
    statement("1", "select 1"),
    release("0"),
    result("UPDATE 1"),
    release("1"),
    statement("1", "select 2"),
  ];
  const all = texts({ ...doubleBooking, trace });
  expect(all[1]).toMatch(new RegExp(`^While client 0 ${state}, client 1 runs`));
  expect(all[3]).toMatch(/^While client 0 has written, client 1 runs/);
});

test("clients with names are called by them, and are done at their end", () => {
  const named = { ...doubleBooking, names: ["ada", "bob"] };
  const all = texts(named).join(" ");
  expect(all).toMatch(/^Client (ada|bob) begins, runs /);
  expect(all).toContain("waits for a lock of client bob");
  expect(all).not.toMatch(/client [01]/i);
  const trace: TraceEvent[] = [
    { type: "move", choice: { task: "0", action: "start" }, enabled: [], preemption: false },
    { type: "invoke", client: 0, index: 0, operation: { name: "ada" } },
    {
      type: "return",
      client: 0,
      index: 0,
      response: { outcome: "ok", code: "OK", body: null },
    },
  ];
  expect(texts({ ...named, trace })[0]).toBe("Client ada begins and is done.");
  expect(counterexampleText(named, { colour: false, folder: "." })).not.toMatch(/client [01]/i);
});

test("backticks in the data do not start or end code", () => {
  const message = "a ` b";
  const [violation] = doubleBooking.violations;
  if (violation === undefined) throw new Error("the sample has no violation");
  const marked = texts({ ...doubleBooking, violations: [{ ...violation, message }] });
  for (const text of marked) expect(text.split("`").length % 2).toBe(1);
});
