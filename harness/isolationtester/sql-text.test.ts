import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { inOneMessage, withoutBraces, withValues } from "./sql-text.ts";

beforeAll(loadParser);

test("replaces parameters by values, and nothing else", () => {
  const sql = "select $1, '$1', \"$2\", $2::text /* $1 */, $$ $2 $$, 'ü', $1, $3";
  expect(withValues({ sql, values: ["O'Hara", null] })).toBe(
    "select 'O''Hara', '$1', \"$2\", null::text /* $1 */, $$ $2 $$, 'ü', 'O''Hara', $3",
  );
});

test("keeps an empty statement", () => {
  expect(withValues({ sql: "", values: [] })).toBe("");
});

test("escapes a closing brace in strings, names, comments and dollar quotes", () => {
  expect(withoutBraces("select '{}'::int[]")).toBe("select E'{\\x7D'::int[]");
  expect(withoutBraces("select 'it''s {\\}'")).toBe("select E'it''s {\\\\\\x7D'");
  expect(withoutBraces("select e'\\n}', U&'}'")).toBe("select e'\\n\\x7D', U&'\\007D'");
  expect(withoutBraces('select "a\\}" -- }\n')).toBe('select U&"a\\\\\\007D" -- )\n');
  expect(withoutBraces("do $f$ begin perform '{}'; end $f$")).toBe(
    "do E' begin perform ''{\\x7D''; end '",
  );
});

test("does not change SQL without a closing brace", () => {
  const sql = "do $f$ begin perform 'it''s'; end $f$ -- {";
  expect(withoutBraces(sql)).toBe(sql);
});

test("joins several statements into one message of psql", () => {
  expect(inOneMessage("select ';'; select 2 ;\n")).toBe("select ';'\\; select 2;");
  expect(inOneMessage("select 1 -- one; more")).toBe("select 1 -- one; more\n;");
});
