import { beforeAll, expect, test } from "vitest";
import { asStatement, definitionOf, expressionsIn, functionIn, parsePlpgsql } from "./plpgsql.ts";
import { loadParser, type ParseNode } from "./sql.ts";

beforeAll(loadParser);

const HEAD = "create or replace function f() returns void language plpgsql as $function$";
const TAIL = "$function$\n";

test("a definition is split around its source", () => {
  const source = "begin perform '$function$ '; end";
  const definition = HEAD + source + TAIL;
  expect(definitionOf("f()", definition, source)).toEqual({ head: HEAD, source, tail: TAIL });
  expect(() => definitionOf("f()", definition, "another source")).toThrow("f()");
});

test("the expressions of a routine are found, also with variables of a %rowtype", () => {
  const source = "declare a int[]; r t%rowtype; begin a[b = 1] := (select 1 from t); r.i := 2; end";
  const tree = parsePlpgsql({ head: HEAD, source, tail: TAIL });
  const action = functionIn(tree)["action"] as { PLpgSQL_stmt_block: { body: ParseNode[] } };
  const statements = action.PLpgSQL_stmt_block.body.flatMap(Object.values<unknown>);
  expect(statements.flatMap(expressionsIn).map(asStatement)).toEqual([
    "SELECT a[b = 1] ,  (select 1 from t)",
    "SELECT r.i ,  2",
  ]);
});

test.each([
  ["a query is a statement already", { query: "select 1" }, "select 1"],
  ["an expression becomes a column", { query: "a + 1", parseMode: 2 }, "SELECT a + 1"],
  ["both sides of an assignment become columns", { query: "a = b", parseMode: 3 }, "SELECT a ,  b"],
])("%s", (_, expression, statement) => {
  expect(asStatement(expression)).toBe(statement);
});
