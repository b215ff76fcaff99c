import { beforeAll, expect, test } from "vitest";
import { type Names, namesIn } from "./names.ts";
import { loadParser } from "./sql.ts";

beforeAll(loadParser);

const NO_NAMES: Names = {
  reads: [],
  writes: [],
  calls: [],
  attributes: [],
  defined: [],
  locks: false,
  transactionNumbers: false,
  clock: false,
  changesSession: false,
  constant: false,
  unknown: false,
};

test.each<[sql: string, names: Partial<Names>]>([
  ["select 1", { constant: true }],
  ["select 1 as one, 'x', null; select true", { constant: true }],
  ["values (1)", {}],
  ["select '1'::int", {}],
  ["select current_timestamp, current_user", { clock: true }],
  ["select a.b from s.t as a", { reads: ["t"], attributes: ["b"] }],
  ["select * from t for update", { reads: ["t"], locks: true }],
  ["with x as (select 1) select * from x", { reads: ["x"], defined: ["x"] }],
  ["delete from t", { writes: [{ table: "t", how: "delete" }] }],
  [
    "insert into t values (1) on conflict (i) do update set i = 2",
    {
      writes: [
        { table: "t", how: "insert" },
        { table: "t", how: "update" },
      ],
    },
  ],
  [
    "select s.f(0, 'x'::text, a)",
    { calls: [{ name: "f", operator: false, constants: ["0", "x", undefined] }] },
  ],
  ["select 1 |+| 2", { calls: [{ name: "|+|", operator: true, constants: [] }] }],
  ["select * into t from u", { reads: ["u"], unknown: true }],
  ["create table t ()", { unknown: true }],
  ["no SQL", { unknown: true }],
])("the names in: %s", (sql, expected) => {
  expect(namesIn(sql)).toEqual({ ...NO_NAMES, ...expected });
});
