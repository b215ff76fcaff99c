import { beforeAll, describe, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { type Edits, edited, editsOf } from "./edits.ts";
import { type Source, sourceTree } from "./source-tree.ts";

beforeAll(loadParser);

function plpgsql(source: string): Source {
  const head = "create function f(a int) returns int language plpgsql as $$";
  return { language: "plpgsql", head, source, tail: "$$" };
}

const sql = (source: string): Source => ({ language: "sql", head: "", source, tail: "" });

/** `line kind: before → after`, in order. */
function described({ found, missed }: Edits): readonly string[] {
  expect(missed).toBe(0);
  return found.map(({ line, kind, before, after }) => `${line} ${kind}: ${before} → ${after}`);
}

describe("PL/pgSQL", () => {
  test("deletes each statement as a whole", () => {
    const source = plpgsql(`begin
      perform 1;
      begin a := 2; exception when others then a := 3; end;
      <<l>> loop exit l; end loop;
    end`);
    expect(described(editsOf(source))).toEqual([
      "2 delete-statement: perform 1; → ",
      "3 delete-statement: begin a := 2; exception when others then a := 3; end; → ",
      "3 delete-statement: a := 2; → ",
      "3 delete-statement: a := 3; → ",
      "4 delete-statement: <<l>> loop exit l; end loop; → ",
      "4 delete-statement: exit l; → ",
    ]);
  });

  test("negates the conditions of statements", () => {
    const source = plpgsql(`begin
      if a = 1 or a = 2 then elsif (a) = 3 then else end if;
      while a < 1 loop exit when a = 2; continue when a = 3 and a > 1; end loop;
      case when a = 1 then when a = 2 then end case;
      case a when 1 then end case;
      a := case when a = 1 then 2 when a = 2 then case a when 3 then 4 end end;
    end`);
    const negations = described(editsOf(source)).filter((it) => it.includes("negate"));
    expect(negations).toEqual([
      "2 negate-condition: if a = 1 or a = 2 → if not (a = 1 or a = 2)",
      "2 negate-condition: elsif (a) = 3 → elsif not ((a) = 3)",
      "3 negate-condition: while a < 1 → while not (a < 1)",
      "3 negate-condition: when a = 2 → when not (a = 2)",
      "3 negate-condition: when a = 3 and a > 1 → when not (a = 3 and a > 1)",
      "4 negate-condition: when a = 1 → when not (a = 1)",
      "4 negate-condition: when a = 2 → when not (a = 2)",
      "6 negate-condition: when a = 1 → when not (a = 1)",
      "6 negate-condition: when a = 2 → when not (a = 2)",
    ]);
  });

  test("negates the conditions of SQL, in its statements and in expressions", () => {
    const source = plpgsql(`begin
      select 1 into a from t where i = 1 and exists (select from u where j = 2) for update;
      insert into t values (1) on conflict (i) where i > 0 do update set i = 2 where t.i = 3;
      for a in select i from t where i in (1, 2) order by i loop end loop;
      delete from t where (i) = (1) returning i into a;
    end`);
    const negations = described(editsOf(source)).filter((it) => it.includes("negate"));
    expect(negations).toEqual([
      "2 negate-condition: where i = 1 and exists (select from u where j = 2) → where not (i = 1 and exists (select from u where j = 2))",
      "2 negate-condition: where j = 2 → where not (j = 2)",
      "3 negate-condition: where i > 0 → where not (i > 0)",
      "3 negate-condition: where t.i = 3 → where not (t.i = 3)",
      "4 negate-condition: where i in (1, 2) → where not (i in (1, 2))",
      "5 negate-condition: where (i) = (1) → where not ((i) = (1))",
    ]);
  });

  test("strips each lock, and keeps the others of its statement", () => {
    const source = plpgsql(`begin
      perform from t, u where true for update of t nowait for no key update of u skip locked;
      perform from (select from t for share) s;
      for a in select i from t for key share loop end loop;
    end`);
    const stripped = editsOf(source).found.filter(({ kind }) => kind === "strip-lock");
    expect(stripped.map(({ before }) => before)).toEqual([
      "for update of t nowait",
      "for no key update of u skip locked",
      "for share",
      "for key share",
    ]);
    const [first] = stripped;
    expect(edited(source.source, first === undefined ? [] : [first])).toContain(
      "where true  for no key update of u skip locked;",
    );
  });

  test("weakens isolation levels by one", () => {
    const source = plpgsql(`begin
      set transaction isolation level repeatable read;
      set local default_transaction_isolation = 'serializable';
      set transaction isolation level read committed;
      perform 'serializable';
    end`);
    expect(described(editsOf(source)).filter((it) => it.includes("weaken"))).toEqual([
      "2 weaken-isolation: repeatable read → read committed",
      "3 weaken-isolation: 'serializable' → 'repeatable read'",
    ]);
  });

  test("ignores keywords in comments, strings and names", () => {
    const source = plpgsql(`declare "where" int; begin
      -- if a = 1 then; where b for update
      perform 'where a; for update' /* when x */ from t where "where" = 1 -- for update
        and "for" = ';';
    end`);
    expect(described(editsOf(source))).toEqual([
      `3 delete-statement: perform 'where a; for update' /* when x */ from t where "where" = 1 -- for update and "for" = ';'; → `,
      `3 negate-condition: where "where" = 1 -- for update and "for" = ';' → where not ("where" = 1 -- for update and "for" = ';')`,
    ]);
  });

  test("keeps the line numbers", () => {
    const source = plpgsql("begin\n  perform\n    1;\n  perform 2;\nend");
    for (const edit of editsOf(source).found) {
      expect(edited(source.source, [edit]).split("\n")).toHaveLength(5);
    }
  });

  test("counts the conditions that it cannot negate", () => {
    const { found, missed } = editsOf(
      plpgsql("declare c refcursor; begin delete from t where current of c; end"),
    );
    expect(found.map(({ kind }) => kind)).toEqual(["delete-statement"]);
    expect(missed).toBe(1);
  });

  test("gives the statement of each change", () => {
    const source = plpgsql(`begin
      if exists (select from t where i = 1) then a := 1; elsif a = 2 then end if;
      update t set i = 1 where i = 2;
    end`);
    expect(editsOf(source).found.map(({ statement }) => statement)).toEqual([
      "if exists (select from t where i = 1) then a := 1; elsif a = 2 then end if;",
      "if exists (select from t where i = 1) then",
      "if exists (select from t where i = 1) then",
      "a := 1;",
      "elsif a = 2",
      "update t set i = 1 where i = 2;",
      "update t set i = 1 where i = 2;",
    ]);
  });
});

describe("SQL", () => {
  test("deletes each of several statements, and negates conditions", () => {
    const source = sql("delete from t where i = 1;\nselect i from t where j = 2");
    expect(described(editsOf(source))).toEqual([
      "1 delete-statement: delete from t where i = 1; → ",
      "1 negate-condition: where i = 1 → where not (i = 1)",
      "2 delete-statement: select i from t where j = 2 → ",
      "2 negate-condition: where j = 2 → where not (j = 2)",
    ]);
  });

  test("does not delete the only statement", () => {
    expect(described(editsOf(sql("select 1;")))).toEqual([]);
  });
});

describe("two sources have the same tree", () => {
  const tree = (source: string) => sourceTree(plpgsql(source));

  test("if only their layout differs", () => {
    expect(tree("begin perform a = 1; end")).toEqual(tree("begin perform  (a=1) /* x */; end"));
  });

  test("but not if a statement or a line differs", () => {
    expect(tree("begin perform a = 1; end")).not.toEqual(tree("begin perform a = 2; end"));
    expect(tree("begin perform 1; end")).not.toEqual(tree("begin\nperform 1; end"));
  });
});
