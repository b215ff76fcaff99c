import { describe, expect, test } from "vitest";
import type { Operation } from "../core/operation.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import { anomalyOf, anomalySentence } from "./anomaly.ts";

/**
 * A trace from lines that start with a client: `0 select …` runs a statement, `1 → ok` is a response,
 * and `0 ✗ 40001` is an error of the transaction. A transaction is open from `begin` to `commit`.
 */
function trace(lines: readonly string[], operations: readonly Operation[] = TWO): Trace {
  const open = new Set<string>();
  const begun = new Set<string>();
  return lines.flatMap((line): TraceEvent[] => {
    const [task = "", ...words] = line.split(" ");
    const client = Number(task);
    const sql = words.join(" ");
    const invoke: TraceEvent = {
      ...{ type: "invoke", client, index: 0, operation: operations[client] ?? { name: "none" } },
    };
    const first = begun.has(task) ? [] : [invoke];
    begun.add(task);
    if (words[0] === "→") {
      const response = {
        outcome: words[1] === "ok" ? "ok" : "fail",
        code: "X",
        body: null,
      } as const;
      return [...first, { type: "return", client, index: 0, response }];
    }
    const choice = { task, action: "release" } as const;
    const move: TraceEvent = { type: "move", choice, enabled: [choice], preemption: false };
    if (sql === "begin") open.add(task);
    if (sql === "commit") open.delete(task);
    const failed = words[0] === "✗";
    if (failed) open.delete(task);
    const transaction = open.has(task) ? "open" : "idle";
    const error = failed ? { error: { sqlstate: words[1] ?? "", message: "" } } : {};
    return [
      ...first,
      { type: "statement", task, statement: { sql: failed ? "" : sql, values: [] } },
      move,
      { type: "result", task, result: { tags: [], transaction, ...error } },
    ];
  });
}

const TWO = [{ name: "pay" }, { name: "cancel" }];
const SAME = [
  { name: "cancel", via: "http" },
  { name: "cancel", via: "function" },
];
const anomalyName = (lines: string[], operations?: readonly Operation[]) =>
  anomalyOf(trace(lines, operations))?.name;

const read = "select status from bookings where id = 1";
const write = "update bookings set status = 'x' where id = 1";

describe("a name fits", () => {
  test.each<[string, string[], (readonly Operation[])?]>([
    ["deadlock", [`0 ${write}`, "1 ✗ 40P01"]],
    ["lost update", [`0 ${read}`, `1 ${write}`, `0 ${write}`]],
    [
      "double-processing",
      [`0 ${read}`, `1 ${read}`, `1 ${write}`, `0 ${write}`, "0 → ok", "1 → ok"],
      SAME,
    ],
    [
      "duplicate insert",
      [
        "0 select from bookings where slot = 1",
        "1 select from bookings where slot = 1",
        "0 insert into bookings values (1)",
        "1 insert into bookings values (1)",
      ],
    ],
    [
      "write skew",
      [
        "0 select from nurses",
        "1 select from doctors",
        "0 update doctors set x = 1",
        "1 update nurses set x = 1",
      ],
    ],
    [
      "lost update",
      [`0 ${read}`, `1 ${write}`, "0 update bookings set note = 'y', status = 'z' where id = 1"],
    ],
    [
      "decision on a stale read",
      [`0 ${read}`, `1 ${write}`, "0 update bookings set slot_id = 2 where id = 1"],
    ],
    [
      "decision on a stale read",
      ["0 select n from t", "1 update t set n = n - 1", "0 update t set n = n - $1, b = 'x'"],
    ],
    [
      "decision on a stale read",
      ["0 select n from t", "1 delete from t", "0 update t set n = t.n - 1"],
    ],
    [
      "lost update",
      ["0 select n from t", "1 update t set n = n - 1", "0 update t set n = $1 where n > 0"],
    ],
    ["lost update", ["0 select n from t", "1 update t set n = n - 1", "0 update t set n = 'n'"]],
    [
      "lost update",
      ["0 select n from t", "1 update t set n = 1, m = 2", "0 update t set n = n + 1, m = 3"],
    ],
    ["lost update", [`0 ${read}`, `1 ${write}`, "0 delete from bookings where id = 1"]],
    ["dirty read", [`0 ${write}`, "1 select from bookings", "0 update slots set free = true"]],
    ["lost update", ["0 begin", `0 ${write}`, `1 ${read}`, "0 commit", `1 ${write}`]],
    ["phantom", [`0 ${read}`, "1 insert into bookings values (2)", `0 ${read}`]],
    ["non-repeatable read", [`0 ${read}`, `1 ${write}`, `0 ${read}`]],
  ])("%s", (name, lines, operations) => {
    expect(anomalyName(lines, operations)).toBe(name);
  });
});

test.each([
  ["a lost update", [`0 ${read}`, `1 ${write}`, `0 ${write}`]],
  ["a deadlock", [`0 ${write}`, "1 ✗ 40P01"]],
  [
    "write skew",
    ["0 select from a", "1 select from b", "0 update b set x = 1", "1 update a set x = 1"],
  ],
])("the sentence names %s with its article", (name, lines) => {
  expect(anomalySentence(trace(lines))).toMatch(`This looks like ${name}. `);
});

test("a deadlock names what each client waited for, in which statement, and the lock modes", () => {
  const wait = (task: string, other: string): TraceEvent => ({ type: "wait", task, for: [other] });
  const statement = (task: string, sql: string): TraceEvent => ({
    ...{ type: "statement", task, statement: { sql, values: [] } },
  });
  const locks = 'while updating tuple (0,2) in relation "t": ShareLock on a transaction';
  const error = { sqlstate: "40P01", message: "deadlock detected", locks };
  const found = anomalyOf([
    statement("0", "update t set n = 1 where id = 2"),
    wait("0", "1"),
    statement("1", "select * from u for update"),
    { type: "result", task: "1", result: { tags: [], error, transaction: "failed" } },
  ]);
  expect(found?.explanation).toBe(
    "Transactions waited for each other in a cycle. " +
      "Client 0 waited for client 1 to release a row of t, in: update t set n = 1 where id = 2. " +
      "Client 1 waited for client 0 to release a row of u, in: select * from u for update. " +
      `PostgreSQL reports: ${locks}.`,
  );
});

const check = (client: number, key: number) => `${client} select from bookings where slot = ${key}`;

describe("inserts of rows", () => {
  test.each<[string, string | undefined, string[]]>([
    [
      "with the same key",
      "duplicate insert",
      [
        check(0, 1),
        check(1, 1),
        "0 insert into bookings (customer, slot) values ('ada', 1)",
        "1 insert into bookings (customer, slot) values ('bob', 1)",
      ],
    ],
    [
      "with different keys",
      undefined,
      [
        check(0, 1),
        check(1, 2),
        "0 insert into bookings (customer, slot) values (7, 1)",
        "1 insert into bookings (customer, slot) values (7, 2)",
      ],
    ],
    [
      "of which the reads compared no value, and that are equal",
      "duplicate insert",
      [
        "0 select max(n) from bookings",
        "1 select max(n) from bookings",
        "0 insert into bookings values (2)",
        "1 insert into bookings values (2)",
      ],
    ],
    [
      "of which the reads compared no value, and that differ",
      undefined,
      [
        "0 select count(*) from bookings",
        "1 select count(*) from bookings",
        "0 insert into bookings values ('ada')",
        "1 insert into bookings values ('bob')",
      ],
    ],
    [
      "with values that the text does not show",
      undefined,
      [
        check(0, 1),
        check(1, 1),
        "0 insert into bookings values (v_slot)",
        "1 insert into bookings values (v_slot)",
      ],
    ],
  ])("%s: %s", (_, name, lines) => {
    expect(anomalyName(lines)).toBe(name);
  });
});

describe("no name fits", () => {
  test.each<[string, string[], (readonly Operation[])?]>([
    ["if one operation follows the other", [`0 ${read}`, `0 ${write}`, `1 ${read}`, `1 ${write}`]],
    ["if there is one client", [`0 ${read}`, `0 ${write}`, `0 ${read}`]],
    [
      "if the reads lock",
      [`0 ${read} for update`, `0 ${write}`, `1 ${read} for update`, `1 ${write}`],
    ],
    [
      "if the read locks, although it may lock other rows",
      [`0 ${read} for update`, `1 ${write}`, `0 ${write}`],
    ],
    [
      "if the change in between was rolled back",
      [`0 ${read}`, "1 begin", `1 ${write}`, "1 ✗ 23505", `0 ${write}`],
    ],
    [
      "if the accesses are to different tables",
      [`0 ${read}`, "1 update slots set x = 1", `0 ${write}`],
    ],
    ["if both only read", [`0 ${read}`, `1 ${read}`, `0 ${read}`]],
    [
      "if the writes are in one transaction",
      ["0 begin", `0 ${write}`, "0 update slots set x = 1", "1 select from bookings", "0 commit"],
    ],
    [
      "if a function is called, whose accesses are unknown",
      ["0 select from bookings(1)", `1 ${write}`, `0 ${write}`],
    ],
  ])("%s", (_, lines, operations) => {
    expect(anomalyName(lines, operations)).toBeUndefined();
  });
});

test("different operations, or a refused one, are no double-processing", () => {
  const lines = [`0 ${read}`, `1 ${read}`, `1 ${write}`, `0 ${write}`];
  expect(anomalyName([...lines, "0 → ok", "1 → fail"], SAME)).toBe("lost update");
  expect(anomalyName([...lines, "0 → ok", "1 → ok"], TWO)).toBe("lost update");
});
