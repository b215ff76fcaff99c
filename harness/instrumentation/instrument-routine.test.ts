import { describe, expect, test } from "vitest";
import type { RoutineDefinition } from "../parser/plpgsql.ts";
import { gateCondition, gateStatement, ROW_GATE_START, rowGateEnd } from "./gate-function.ts";
import { instrument, withoutGates } from "./instrument-routine.ts";

const SHARED = {
  functions: new Set(["writes", "nextval"]),
  tables: true,
  unique: new Map([["u", [["c"], ["a", "b"]]]]),
};

function definition(source: string, returns = "returns setof int"): RoutineDefinition {
  const kind = returns === "" ? "procedure" : "function";
  const parameters = returns === "returns trigger" ? "" : "a int";
  const head = `create or replace ${kind} f(${parameters}) ${returns} language plpgsql as $function$`;
  return { head, source, tail: "$function$\n" };
}

/** The source with ¤ for each gate. */
async function gated(source: string, returns?: string): Promise<string> {
  const result = await instrument(definition(source, returns), 1, SHARED);
  if (!result.gated) throw new Error(result.reason);
  expect(withoutGates(result.source)).toBe(source);
  expect(result.gates.map(({ place }) => place)).toEqual(result.gates.map((_, i) => i + 1));
  return result.gates.reduce(
    (text, { place }) =>
      [
        gateStatement(place),
        gateCondition(place, "ELSIF"),
        gateCondition(place, "WHEN"),
        rowGateEnd(place),
      ].reduce((marked, gate) => marked.replace(gate, "¤"), text),
    Object.values(ROW_GATE_START).reduce(
      (text, start) => text.replaceAll(start, ""),
      result.source,
    ),
  );
}

/** Sources with ¤ where a gate belongs, by what they contain. */
const BODIES: { readonly [what: string]: string | readonly [source: string, returns: string] } = {
  "each SQL statement": `begin
    ¤insert into t values (1); ¤update t set i = 2; ¤delete from t;
    ¤merge into t using s on true when matched then do nothing;
    ¤truncate t; ¤lock table t; ¤lock table t nowait; ¤notify x; ¤create table x (a int); ¤set constraints all immediate;
    ¤with d as (delete from t returning *) select count(*) into a from d;
  end`,
  "PERFORM and SELECT INTO": `declare r record; begin
    ¤perform from t; ¤select * into r from t; ¤select i from t into strict a; ¤values (writes()) ;
  end`,
  "no gate where nothing shared is accessed": `declare x int; begin
    x := a + 1; x = length('select 1 from t'); select now() into x; perform random(); null;
    set local work_mem = '1MB'; reset work_mem; raise notice '%', x; get diagnostics x = row_count;
    if x > 1 then x := 2; end if; return next x; return;
  end`,
  "expressions that contain a query": `declare x int[]; begin
    ¤x := (select 1 from t); ¤x[(select i from t)] := 1; ¤x = array(select i from t);
    ¤return next (select 1 from t); ¤raise notice '%', (select 1 from t);
    ¤raise exception using message = (select 'x' from t); ¤assert exists (select from t), 'x';
  end`,
  "calls of functions that may access shared state": `begin
    ¤a := writes(1); ¤perform s.writes(); a := harmless(1); ¤a := nextval('q'); ¤call writes(1);
    call harmless(1);
  end`,
  IF: `begin
    ¤if exists (select from t) then a := 1; elsif a = 1 then ¤delete from t; else ¤insert into t values (1); end if;
    ¤if a = 1 then null; ¤elseif exists (select from t) then elsif a = 2 then ¤elsif writes() then a := 3; end if;
  end`,
  CASE: `begin
    case a when 1 then ¤delete from t; when 2, 3 then null; else ¤insert into t values (1); end case;
    ¤case when exists (select from t) then a := case when a = 1 then 2 else 3 end; ¤when exists (select from t) then when a = 2 then null; end case;
    ¤case (select i from t) when 1 then a := 2; end case;
    ¤select case when i = 1 then 2 else 3 end into a from t;
  end`,
  "LOOP, with EXIT and CONTINUE": `begin
    loop ¤exit when exists (select from t); continue when a = 1; ¤delete from t; exit; end loop;
    <<l>> loop <<m>> loop exit l; end loop m; end loop l;
  end`,
  "WHILE, and a gate before each repetition": `begin
    <<w>> while a < 1 loop ¤delete from t; continue w; end loop w;
    ¤<<v>>
    while exists (select from t) loop
      if a = 1 then ¤continue; end if; ¤delete from t; begin ¤continue v when a = 2; end;
    ¤end loop v;
    ¤while (select true from t) loop ¤end loop;
  end`,
  "FOR over numbers": `begin
    for i in 1..10 loop ¤delete from t; end loop;
    ¤for i in reverse (select max(i) from t)..1 by 2 loop null; end loop;
  end`,
  "FOR over a query": `declare r record; x int; y int; begin
    ¤for r in select * from t loop a := r.i; ¤delete from t; end loop;
    ¤for x, y in select 1, 2 from t order by (select 3) loop null; end loop;
    for r in select * from generate_series(1, 3) i loop null; end loop;
    ¤for r in insert into t values (1) returning * loop null; end loop;
    ¤for r in execute 'select 1' using a loop null; ¤end loop;
    ¤for r in select * from t for update ¤loop ¤continue; ¤end loop;
    ¤for r in select * from t for share limit 1 loop ¤end loop;
  end`,
  "queries that lock one row after the other": `declare x int; begin
    ¤perform 1 from t where i > 1 order by i for update -- ;
    ¤; ¤perform writes(i) from t¤; ¤perform writes(1); ¤select i into x from t for update;
    ¤return query select i from t for no key update nowait ¤; ¤return query execute 'select 1 for update';
    ¤for x in with y as (select 1) (select i, "in" from t, y for share) ¤loop ¤end loop;
    ¤perform 1 from u where 1 = b and u.a = i and c for update¤; ¤perform 1 from u where 1 = b and u.a = 2 and c for update;
  end`,
  FOREACH: `declare x int; begin
    foreach x in array array[1, 2] loop ¤delete from t; end loop;
    ¤foreach x in array (select array[1] from t) loop null; end loop;
  end`,
  cursors: `declare c cursor (k int) for select * from t where i = k; d refcursor; r record; begin
    ¤open c(1); ¤fetch next from c into r; ¤move c; ¤update t set i = 1 where current of c; close c;
    ¤open d for select 1; ¤open d no scroll for execute 'select 1';
    ¤for r in c(k := 2) loop null; ¤end loop;
  end`,
  "dynamic SQL": `begin ¤execute 'delete from t'; ¤execute format('x %s', a) into a using 1; end`,
  "RETURN QUERY": `begin
    ¤return query select i from t; ¤return query execute 'select 1' using a; ¤return query insert into t values (1) returning i;
    return query values (1), (2);
  end`,
  RETURN: ["begin if a = 1 then ¤return (select 1 from t); end if; return a; end", "returns int"],
  transactions: [
    "begin ¤commit; ¤insert into t values (1); ¤rollback and chain; set transaction isolation level serializable; ¤call writes(1); ¤do $x$ begin delete from t; end $x$; end",
    "",
  ],
  "exception blocks": `begin
    begin ¤insert into t values (1); exception when unique_violation or sqlstate 'HD000' then ¤delete from t; get stacked diagnostics a = message_text; when others then raise; end;
    exception when others then ¤insert into t values (sqlerrm);
  end`,
  "nested blocks": `<<o>> declare x int := 1; begin
    declare y int := 2; begin ¤delete from t where i = o.x; end;
    ¤<<b>> declare z int := (select 1 from t); begin z := 1; end b;
  end o;`,
  triggers: [
    "begin new.x := 1; if tg_op = 'UPDATE' then ¤insert into log values (old.*); end if; return new; end",
    "returns trigger",
  ],
  rows: [
    "declare v t%rowtype; w s.t % rowtype; u t; k t.i%type; begin ¤select * into v from t; v.i := 1; w.i = u.i; u.i := 2; return u; end",
    "returns t",
  ],
  "comments, strings and odd words": `#variable_conflict use_column
  -- begin delete from t; end
  declare open int; "if" int; /* begin /* ; */ */ exception int; é text := 'ééé; begin'; begin open := 1; "if" := 2; exception := 3;
    /**/¤insert into t values ('a;b', $q$ ; end $q$, E'\\'; ', "x;y"); é := 'loop'; -- delete from t;
    ¤delete /* ; */ from t where loop = 1; é := '😀'; ¤delete from t;
  end`,
  "several statements and CRLF in a line": "begin\r\n  ¤delete from t; ¤delete\r\nfrom t; end;\r\n",
  rules: "begin ¤create rule r as on insert to t do also (delete from u; delete from v); end",
};

describe("gates are before each statement that accesses shared state:", () => {
  test.each(Object.entries(BODIES))("%s", async (_, body) => {
    const [source, returns] = typeof body === "string" ? [body, undefined] : body;
    expect(await gated(source.replaceAll("¤", ""), returns)).toBe(source);
  });
});

test("a LOCK TABLE takes its locks one after the other, with a gate after each", async () => {
  const source =
    'begin LOCK -- in\n table only s.t, /* , */ "u; v" *,\n w in share mode nowait; if a = 1 then lock t, u; end if; end';
  const result = await instrument(definition(source), 1, SHARED);
  if (!result.gated) throw new Error(result.reason);
  const gate = (place: number) => gateStatement(place);
  expect(result.source).toBe(
    `begin ${gate(1)}lock /* heddle */ table only s . t in share mode nowait; ${gate(2)}` +
      `lock /* heddle */ table "u; v" * in share mode nowait; ${gate(3)}` +
      source.slice(6, source.indexOf("lock t")) +
      `${gate(4)}lock /* heddle */ t; ${gate(5)}lock t, u; end if; end`,
  );
  expect(withoutGates(result.source)).toBe(source);
});

test("a gate has the line, column and text of its statement", async () => {
  const source =
    "\nbegin\n  é := 'é'; if exists (\n select from t) then\n delete   from t; end if;\n  while (select true from t)\n loop end loop; end";
  const result = await instrument(definition(`declare é text; ${source}`), 7, SHARED);
  expect(result).toMatchObject({
    gates: [
      { place: 7, line: 3, column: 13, text: "if exists ( select from t) then" },
      { place: 8, line: 5, column: 2, text: "delete from t;" },
      { place: 9, line: 6, column: 3, text: "while (select true from t) loop" },
      { place: 10, line: 7, column: 7, text: "again: while (select true from t) loop" },
    ],
  });
});

test("accesses that no gate can precede are listed", async () => {
  const source = `declare x int := (select 1 from t); y int := 1;
  begin
    if exists (select from t) then null;
    elsif exists (select from u) then null; end if;
    if exists (select from t) then null; end if;
    case 1 when (select 1 from t) then null; when 2, (select 2 from u) then null; end case;
  end`;
  expect(await instrument(definition(source), 1, SHARED)).toMatchObject({
    missing: [
      { line: 1, reason: expect.stringContaining("a declaration of the outermost block") },
      { line: 6, reason: expect.stringContaining("the conditions of this CASE") },
    ],
  });
});

describe("a source gets no gates when", () => {
  const why = async (source: string) => {
    const result = await instrument(definition(source), 1, SHARED);
    return result.gated ? "gated" : result.reason;
  };

  test("it cannot be parsed", async () => {
    expect(await why("begin delete from; x y z end")).toMatch("libpg-query cannot read it: syntax");
    expect(await why("begin x := 'a; end")).toMatch("libpg-query cannot read it: ");
  });

  test("its statements cannot be located", async () => {
    const source =
      "begin create function g() returns int begin atomic select 1; select 2; end; return; end";
    expect(await why(source)).toMatch("its statements could not be located: ");
  });

  test("it has gates already, or what looks like one", async () => {
    const result = await instrument(definition("begin delete from t; end"), 1, SHARED);
    expect(result.gated && (await why(result.source))).toMatch("it has gates already");
    expect(await why("begin if heddle.gate(1) then null; end if; delete from t; end")).toMatch(
      "with gates it would be another routine",
    );
  });
});
