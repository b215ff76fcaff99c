import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { gatedBlocks } from "./do-blocks.ts";

const gated = (sql: string) =>
  gatedBlocks(sql, 9, { functions: new Set(["nextval"]), tables: true });
const GATE = "IF heddle.gate(9) THEN END IF; ";

beforeAll(loadParser);

test("each statement of a block that accesses shared state gets a gate of one number", () => {
  expect(gated("do $$ begin update t set v = 1; delete from t; end $$")).toBe(
    `do $$ begin ${GATE}update t set v = 1; ${GATE}delete from t; end $$`,
  );
  expect(gated("DO LANGUAGE plpgsql 'begin commit; delete from t; end'")).toBe(
    `DO LANGUAGE plpgsql 'begin ${GATE}commit; ${GATE}delete from t; end'`,
  );
});

test("so do the blocks of a message with other statements, and conditions", () => {
  const sql =
    "select 1; do $a$ begin if exists (select from t) then null; elsif exists (select from u) then null; end if; end $a$; select 2";
  expect(gated(sql)).toBe(
    `select 1; do $a$ begin ${GATE}if exists (select from t) then null; ELSIF heddle.gate(9) THEN elsif exists (select from u) then null; end if; end $a$; select 2`,
  );
});

test.each([
  "select 'do'",
  "do $$ begin null; end $$",
  "do language sql $$ select 1 $$",
  "do 'begin raise notice ''x''; delete from t; end'",
  "do $$ begin delete from; what is this; end $$",
  "do what",
])("a text stays as it is: %s", (sql) => {
  expect(gated(sql)).toBe(sql);
});
