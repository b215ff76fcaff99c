import { expect, test } from "vitest";
import { sqlLine } from "./trace-lines.ts";

test("SQL becomes one line", () => {
  expect(sqlLine("\n  select id,\n\t a\n  from t\n where x = $1 ")).toBe(
    "select id, a from t where x = $1",
  );
});

test("comments in SQL are removed", () => {
  expect(sqlLine("select 1 -- one\n, 2 /* two\n lines */ , 3")).toBe("select 1 , 2 , 3");
});

test("quoted text in SQL stays as it is", () => {
  const quoted = "select 'a  --b\n''c', \"x  y\", $f$ /* body */\n  end $f$ from t";
  expect(sqlLine(quoted)).toBe(quoted);
});
