import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { parseSpec } from "./parse.ts";
import { schemaChange, transactionsOf } from "./transactions.ts";

beforeAll(loadParser);

function grouped(session: string): string[] {
  const { sessions } = parseSpec(`session s ${session}`, "f");
  return sessions.flatMap(transactionsOf).map((steps) => steps.map(({ name }) => name).join(" "));
}

test.each([
  ["step a { begin; } step b { select 1; } step c { commit; } step d { select 2; }", "a b c,d"],
  ["setup { begin; } step a { select 1; } step b { rollback; } step c { select 2; }", "a b,c"],
  ["step a { begin; select 1; commit; } step b { start transaction; select 1 }", "a,b"],
  ["step a { begin; } step b { commit and chain; } step c { end; } step d {}", "a b c,d"],
  ["step a { begin } step b { savepoint x } step c { rollback to x } step d { abort }", "a b c d"],
  ["step a { begin } step b { prepare transaction 'p' } step c { commit prepared 'p' }", "a b,c"],
  ["step a { begin } step b { this is no SQL } step c { commit }", "a b c"],
  ["setup { set lock_timeout = 1 } step a { select 'commit' } teardown { commit }", "a"],
])("groups the steps of %s as %s", (session, expected) => {
  expect(grouped(session).join()).toBe(expected);
});

test.each([
  [
    "step a { begin; insert into t select 1; lock t; call p(); commit } step b { no SQL }",
    undefined,
  ],
  ["step a { select 1 } step b { alter table t add x int }", "b"],
  ["setup { create temp table x () } step a { select 1 }", "setup"],
  ["step a { select 1; drop table t }", "a"],
])("the step of %j that may change the schema is %s", (session, expected) => {
  expect(schemaChange(parseSpec(`session s ${session}`, "f"))?.name).toBe(expected);
});
