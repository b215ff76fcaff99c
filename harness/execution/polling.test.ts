import { expect, test } from "vitest";
import type { Result } from "../core/trace.ts";
import { FakeSession } from "../proxy/pending-statement.fixture.ts";
import { Polling, withoutYielded } from "./polling.ts";

/** A client sends `sql`, as its next statement. */
function next(client: number, sql: string) {
  const session = new FakeSession(client + 1);
  const pending = session.hold({ sql, values: [] });
  pending.assignTo(String(client));
  return pending;
}

/** Executes `sql` as one step of the client. */
function executes(polling: Polling, client: number, sql: string, rows = "", tag = "SELECT 1") {
  const pending = next(client, sql);
  polling.moved(pending.task, pending);
  const result: Result = { tags: [tag], transaction: "idle" };
  polling.completed(pending, result, rows);
}

const LOOK = "select pg_try_advisory_lock(1)";
const yields = (polling: Polling, client: number, sql: string) =>
  polling.hasYielded(next(client, sql));

test("a task yields before its third execution of a statement with the same rows", () => {
  const polling = new Polling();
  executes(polling, 0, LOOK, "f");
  expect(yields(polling, 0, LOOK)).toBe(false);
  executes(polling, 0, LOOK, "f");
  expect(yields(polling, 0, LOOK)).toBe(true);
  expect(yields(polling, 0, "select 1")).toBe(false);
  expect(yields(polling, 1, LOOK)).toBe(false);
});

test.each<[string, readonly (readonly [sql: string, rows?: string, tag?: string])[]]>([
  [
    "other rows",
    [
      [LOOK, "f"],
      [LOOK, "t"],
    ],
  ],
  ["another statement between them", [[LOOK], ["select 1"], [LOOK]]],
  [
    "a statement that writes",
    [
      [LOOK, "", "UPDATE 1"],
      [LOOK, "", "UPDATE 1"],
    ],
  ],
  [
    "a statement that changes the schema",
    [
      [LOOK, "", "CREATE TABLE"],
      [LOOK, "", "CREATE TABLE"],
    ],
  ],
])("a task does not yield after %s", (_, statements) => {
  const polling = new Polling();
  for (const [sql, rows, tag] of statements) executes(polling, 0, sql, rows, tag);
  expect(yields(polling, 0, LOOK)).toBe(false);
});

test("a statement that wrote although it seems to read is no polling, and progress for others", () => {
  const polling = new Polling();
  for (const _ of [1, 2]) executes(polling, 1, LOOK, "f");
  expect(yields(polling, 1, LOOK)).toBe(true);
  for (const _ of [1, 2, 3]) {
    executes(polling, 0, "select take()", "t");
    polling.wrote("0");
  }
  expect(yields(polling, 0, "select take()")).toBe(false);
  expect(yields(polling, 1, LOOK)).toBe(false);
});

test("a statement that writes in its first step and is answered in a later one is no polling", () => {
  const polling = new Polling();
  for (const _ of [1, 2]) {
    const pending = next(0, "select take()");
    polling.moved(pending.task, pending);
    polling.wrote("0");
    polling.moved(pending.task, pending);
    polling.completed(pending, { tags: ["SELECT 1"], transaction: "idle" }, "t");
  }
  expect(yields(polling, 0, "select take()")).toBe(false);
});

test("a statement comes again if it was executed and did not seem to write", () => {
  const polling = new Polling();
  expect(polling.isAgain(next(0, LOOK))).toBe(false);
  executes(polling, 0, LOOK, "f");
  executes(polling, 0, "update t set n = 1", "", "UPDATE 1");
  expect(polling.isAgain(next(0, LOOK))).toBe(true);
  expect(polling.isAgain(next(1, LOOK))).toBe(false);
  expect(polling.isAgain(next(0, "update t set n = 1"))).toBe(false);
});

test("a client that reads twice and goes on is not interrupted", () => {
  const polling = new Polling();
  for (const _ of [1, 2]) executes(polling, 0, LOOK, "f");
  expect(yields(polling, 0, "update t set n = 1")).toBe(false);
});

test("it may look once more each time that another task has made progress", () => {
  const polling = new Polling();
  executes(polling, 0, LOOK, "f");
  executes(polling, 0, LOOK, "f");
  executes(polling, 1, "update counter set value = 1", "", "UPDATE 1");
  expect(yields(polling, 0, LOOK)).toBe(false);
  executes(polling, 0, LOOK, "f");
  expect(yields(polling, 0, LOOK)).toBe(true);
  polling.moved("1", undefined);
  expect(yields(polling, 0, LOOK)).toBe(false);
});

test("two tasks that poll are no progress for each other, unless an answer is new", () => {
  const polling = new Polling();
  for (const client of [0, 1, 0, 1]) executes(polling, client, LOOK, "f");
  expect([yields(polling, 0, LOOK), yields(polling, 1, LOOK)]).toEqual([false, true]);
  executes(polling, 0, LOOK, "f");
  expect([yields(polling, 0, LOOK), yields(polling, 1, LOOK)]).toEqual([true, true]);
  executes(polling, 1, LOOK, "t");
  expect(yields(polling, 0, LOOK)).toBe(false);
});

test("a round may have several statements", () => {
  const polling = new Polling();
  const round = [
    ["begin", "BEGIN"],
    [LOOK, "SELECT 1"],
    ["commit", "COMMIT"],
  ] as const;
  for (const [sql, tag] of [...round, ...round]) executes(polling, 0, sql, "f", tag);
  expect(yields(polling, 0, "begin")).toBe(true);
  expect(yields(polling, 0, LOOK)).toBe(false);
});

test("a statement may repeat a round from the second execution of the round on", () => {
  const polling = new Polling();
  const mayRepeat = (sql: string) => polling.mayRepeat(next(0, sql));
  expect(mayRepeat("begin")).toBe(false);
  for (const sql of ["begin", LOOK, "commit"]) {
    executes(polling, 0, sql);
    expect(mayRepeat(sql)).toBe(true);
    expect(mayRepeat("select 1")).toBe(false);
  }
  expect(mayRepeat("begin")).toBe(true);
  expect(polling.mayRepeat(next(1, "begin"))).toBe(false);
  executes(polling, 0, "update t set v = 1", "", "UPDATE 1");
  for (const sql of ["begin", LOOK, "commit"]) expect(mayRepeat(sql)).toBe(false);
});

test("a task that has yielded is enabled only if no other one is", () => {
  const choices = [
    { task: "0", action: "release" },
    { task: "1", action: "release" },
  ] as const;
  expect(withoutYielded(choices, (task) => task === "0")).toEqual([choices[1]]);
  expect(withoutYielded(choices, () => true)).toEqual(choices);
});
