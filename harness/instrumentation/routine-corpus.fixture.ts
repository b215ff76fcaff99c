/** Rows and arguments for the calls of an example: small, so that calls both hit and miss rows. */
export interface ExampleInput {
  readonly rows: readonly (readonly [i: number, s: string | null])[];
  readonly a: number;
  readonly b: number;
  readonly s: string | null;
}

export interface RoutineExample {
  /** Creates the routines and all else that the example needs besides SCHEMA. */
  readonly sql: string;
  /** The calls, each sent as one message; `:a`, `:b` and `:s` stand for the arguments. */
  readonly calls: readonly string[];
}

export const SCHEMA = `
create table t (i int primary key, s text);
create table log (id int generated always as identity, what text);
create function note(what text) returns text language sql as
  $$ insert into log (what) values (what) returning log.what $$;
`;

const returning = (returns: string, source: string, options = ""): RoutineExample => ({
  sql: `create function f(a int, b int, s text) returns ${returns} language plpgsql ${options} as $$${source}$$`,
  calls: ["select * from f(:a, :b, :s)"],
});

const procedure = (source: string): RoutineExample => ({
  sql: `create procedure f(a int, b int, s text) language plpgsql as $$${source}$$`,
  calls: ["call f(:a, :b, :s)"],
});

/** Routines by the feature of PL/pgSQL that they use. */
export const CORPUS: { readonly [feature: string]: RoutineExample } = {
  "FOUND across gates": returning(
    "text",
    `
declare n text := ''; begin
  update t set s = f.s where i = a;   insert into log (what) select 'updated' where found;
  n := n || found;   n := n || note('x');   if found then n := n || 'y'; end if;
  perform from t where i = b; perform note('p' || found); delete from t where i = b and found;
  return n || found; end`,
  ),
  "ROW_COUNT across gates": returning(
    "int",
    `
declare n int; x text; begin
  update t set s = f.s where i >= a;  x := note('x');  get diagnostics n = row_count;
  return n; end`,
  ),
  "SELECT INTO and STRICT": returning(
    "text",
    `
declare r t; begin
  select * into r from t where i = a; if not found then r.s := 'none'; end if;
  select * into strict r from t where t.s is not distinct from f.s;
  return r; end`,
  ),
  "queries that lock their rows": returning(
    "setof t",
    `
declare n int; r record; begin
  perform i, i, note(t.s) from t where i >= a order by i for no key update;
  get diagnostics n = row_count; insert into log (what) values (n || ' ' || found);
  for r in select x.*, y.* from t x, t y where x.i < y.i order by 1, 3 for update of x skip locked loop
    continue when r.i = b; perform note(r::text);
  end loop;
  return query select * from t where t.s is not distinct from f.s order by i desc for key share nowait;
  return query with k as (select max(i) as m from t) (select t.* from t, k where i < k.m order by i limit 2 for share of t);
end`,
  ),
  "a LOCK TABLE of several tables": returning(
    "text",
    `
declare n int; begin
  update t set s = f.s where i >= a;
  lock table only t, log *, "t" in share row exclusive mode nowait; get diagnostics n = row_count;
  return n || ' ' || found; exception when others then lock table t, missing; return 'never'; end`,
  ),
  "exceptions, rolled back with their writes": returning(
    "text",
    `
declare n text := ''; begin
  for k in a..b loop
    begin insert into t values (k, s); insert into log (what) values ('in'); n := n || 'i';
      if k = 2 then raise exception 'two' using errcode = 'ZZ002', detail = 'd', hint = 'h'; end if;
    exception when unique_violation then update t set s = 'dup' where i = k; n := n || 'd';
      when sqlstate 'ZZ002' then insert into log (what) values (sqlerrm || sqlstate); n := n || 'z'; end;
  end loop; return n; end`,
  ),
  "exceptions, raised again": returning(
    "int",
    `
begin
  begin insert into t values (a, s); perform note('in'); a := 1 / (b - 2);
  exception when division_by_zero then insert into log (what) values ('zero'); raise;
    when others then perform note(sqlerrm); raise exception 'other: %', sqlerrm; end;
  return a; end`,
  ),
  "GET STACKED DIAGNOSTICS": returning(
    "text",
    `
declare m text; c text; begin
  begin
    insert into t values (a, s);
    insert into t values (a, s);
  exception when others then get stacked diagnostics m = message_text, c = pg_exception_context;
    insert into log (what) values (c); end;
  return m || c; end`,
  ),
  "RAISE at each level": returning(
    "void",
    `
begin raise notice 'n %', (select count(*) from t); raise warning 'w' using errcode = 'ZZ001';
  raise info 'i %', note(s); raise log 'l'; raise debug 'd';
  raise exception using message = (select 'sum ' || sum(i) from t), errcode = 'ZZ003'; end`,
  ),
  ASSERT: returning("void", `begin assert exists (select from t where i = a), 'not ' || a; end`),
  "FOR over a query": returning(
    "int",
    `
declare r record; n int := 0; begin
  <<l>> for r in select * from t order by i loop continue l when r.i = b; n := n + r.i;
    update t set s = 'v' || n where i = r.i; exit when n > 5; end loop; perform note(found::text);
  return n; end`,
  ),
  "FOR over locked rows": returning(
    "int",
    `
declare r record; n int := 0; begin
  for r in select * from t order by i for update loop if r.i = a then continue; end if;
    update t set s = r.s || n where i = r.i; n := n + 1; end loop; return n; end`,
  ),
  "WHILE over a query": returning(
    "int",
    `
declare n int := 0; begin
  while exists (select from t where i < b) loop delete from t where i = (select min(i) from t);
    n := n + 1; continue when n = 2; exit when n > 4; end loop; return n; end`,
  ),
  "FOR over numbers, labels, EXIT": returning(
    "int",
    `
declare n int := 0; begin
  <<o>> for k in reverse (select coalesce(max(i), 3) from t)..a by 2 loop
    <<p>> loop n := n + 1; insert into log (what) values (k || '/' || n); exit o when n > 6; exit p when n > b; end loop p;
  end loop o; return n; end`,
  ),
  FOREACH: returning(
    "text",
    `
declare x int; n text := ''; begin
  foreach x in array (select coalesce(array_agg(i order by i), array[a, b]) from t) loop
    delete from t where i = x and x > a; n := n || x || found; end loop; return n; end`,
  ),
  CASE: returning(
    "text",
    `
begin
  case (select count(*) from t) when 0 then return 'none'; when a, b then delete from t where i = a; else insert into log (what) values ('e'); end case;
  case when exists (select from t where i = b) then return 'b'; when s = 'x' then null; end case;
  return s; end`,
  ),
  "IF with queries": returning(
    "text",
    `
begin
  if exists (select from t where i = a) then return 'a'; elsif (select count(*) from t) > b then delete from t; return 'more';
  elseif s is null then return note('null'); else insert into t values (a, s); end if; return s; end`,
  ),
  "assignments with queries": returning(
    "text",
    `
declare x int[] := array[1, 2, 3]; r t; begin
  x[1] := (select max(i) from t); x[(select count(*) from t where i = a) + 1] = b; r.s := (select t.s from t where i = b);
  r.i = x[2]; return x::text || r::text; end`,
  ),
  "RETURN with a query": returning(
    "bigint",
    `begin delete from t where i = a; return (select count(*) from t); end`,
  ),
  "RETURN QUERY and NEXT": returning(
    "setof t",
    `
declare r t; begin
  return query select * from t where i <= a order by i; perform note('q' || found);
  return query execute 'delete from t where i > $1 returning *' using b;
  r := (9, s); return next r; return query insert into t values (b, s) on conflict do nothing returning *; end`,
  ),
  "dynamic SQL": returning(
    "text",
    `
declare x int; begin
  execute 'update t set s = $1 where i = $2' using s, a; execute format('select count(*) from t where %I = $1', 'i') into x using b;
  for x in execute 'select i from t order by i' loop perform note(x::text); end loop;
  execute 'select i from t' into strict x; return x; end`,
  ),
  cursors: returning(
    "text",
    `
declare c cursor (k int) for select * from t where i >= k order by i for update; d refcursor; r record; n text := ''; begin
  open c(a); fetch c into r; n := n || coalesce(r.i, -1) || found; move next from c; fetch c into r;
  if found then update t set s = 'cur' where current of c; end if; close c;
  open d scroll for select i from t order by i; fetch last from d into r; fetch prior from d into r; n := n || coalesce(r.i, -2); close d;
  for r in c(k := b) loop delete from t where current of c; n := n || r.i; end loop; return n; end`,
  ),
  "a cursor that is handed out": {
    sql: `create function f(a int) returns refcursor language plpgsql as $$
declare c refcursor := 'out'; begin open c for select * from t where i >= a order by i; insert into t values (7, 'late'); return c; end$$`,
    calls: ["begin", "select f(:a)", "fetch all from out", "commit"],
  },
  "several statements on one line": returning(
    "int",
    "begin insert into t values (a + 5, 'a;b'); update t set s = 'é' where i = b; delete from t where i = a and t.s = 'a;b'; return (select sum(i) from t); /* delete from t; */ end",
  ),
  "nested blocks and variables of one name": returning(
    "int",
    `
<<o>> declare x int := a; y int := (select count(*) from t); begin
  declare x int := (select max(i) from t); begin update t set s = o.x::text where i = x; <<i>> begin select i.i into o.y from (select min(t.i) as i from t) i; exit i; end i; end;
  return y; end o`,
  ),
  "row triggers": {
    sql: `create function f() returns trigger language plpgsql as $$
begin if tg_op = 'DELETE' then insert into log (what) values ('gone ' || old.i); return old; end if;
  new.s := coalesce(new.s, (select max(s) from t)); if new.i = 3 then return null; end if; perform note(tg_op || ' ' || new::text || found); return new; end$$;
create trigger f before insert or update or delete on t for each row execute function f()`,
    calls: [
      "insert into t values (:a, :s)",
      "update t set s = :s where i > :b",
      "delete from t where i = :b",
    ],
  },
  "statement triggers": {
    sql: `create function f() returns trigger language plpgsql as $$
begin insert into log (what) select i || coalesce(s, '-') from changed order by i; if (select count(*) from t) > tg_argv[0]::int then raise 'full'; end if; return null; end$$;
create trigger f after insert on t referencing new table as changed for each statement execute function f('4')`,
    calls: [
      "insert into t select k, :s from generate_series(:a::int, :b) k",
      "insert into t values (:b, :s)",
    ],
  },
  "a procedure that commits": procedure(`
begin insert into log (what) values ('one'); commit; insert into t values (a, s); if b > 2 then rollback; else commit and chain; end if;
  insert into log (what) values ('two'); commit; set transaction isolation level repeatable read; insert into t values (b, s); end`),
  "a procedure that commits in a loop": procedure(`
declare r record; begin
  for r in select * from t order by i loop update t set s = 'done' where i = r.i; if r.i = a then rollback; else commit; end if; perform note('c'); end loop; end`),
  "procedures that call each other": {
    sql: `create procedure g(inout x int, b int) language plpgsql as $$
begin if x > b then return; end if; insert into log (what) values ('g' || x); x := x + 1; call g(x, b); commit; end$$;
create procedure f(a int, b int) language plpgsql as $$
declare x int := a; begin call g(x, b); insert into t values (x, 'f'); do $x$ begin delete from log where id = 1; end $x$; end$$`,
    calls: ["call f(:a, :b)"],
  },
  "SECURITY DEFINER with a search path, for a role without rights": {
    sql: `create function f(a int) returns int language plpgsql security definer set search_path = pg_temp as $$
begin insert into public.log (what) values (current_user || a); delete from public.t where i = a; return (select count(*) from public.t); end$$;
create function g(a int) returns int language plpgsql as $$
declare n int; begin perform f(a); n := f(a); begin delete from t; exception when insufficient_privilege then n := -n; end; return n; end$$`,
    calls: ["set role heddle_guest", "select g(:a)", "reset role"],
  },
  STRICT: returning(
    "text",
    "begin update t set s = f.s where i between a and b; return s || found; end",
    "strict",
  ),
  recursion: returning(
    "int",
    `
declare n int; begin if a > b then return 0; end if; insert into log (what) values (a::text);
  n := f(a + 1, b, s); delete from t where i = a; n := n + (select count(*) from t); return n; end`,
  ),
  "OUT parameters, defaults, VARIADIC": {
    sql: `create function f(inout a int, out m int, b int default 2, variadic s text[] default '{}') language plpgsql as $$
#variable_conflict use_variable
begin select max(i) into m from t where i < b; a := a + cardinality(s); insert into log (what) values (array_to_string(s, ',')); end$$`,
    calls: ["select * from f(:a)", "select * from f(:a, :b, 'x', :s)"],
  },
  "RETURNS TABLE and polymorphism": {
    sql: `create function f(x anyelement) returns table (i int, v anyelement) language plpgsql as $$
#variable_conflict use_column
declare y x%type := x; z t%rowtype; begin for i in select i from t order by 1 loop v := y; return next; end loop;
  select * into z from t limit 0; i := z.i; return query select i, y from t order by i; end$$`,
    calls: ["select * from f(:a)", "select * from f(:s::text)"],
  },
  "set-returning in a query, once for each row": {
    sql: `create function f(a int) returns setof int language plpgsql as $$
begin insert into log (what) values (a::text); return next a; if a % 2 = 0 then return query select i from t where i > a order by i; end if; end$$`,
    calls: [
      "select t.i, x from t, f(t.i) x order by 1, 2",
      "select f(i), i from t order by i limit 2",
      "update t set s = (select min(x)::text from f(i) x) where i <= :b",
    ],
  },
  "temporary tables, truncation and other commands": returning(
    "bigint",
    `
begin create temp table tmp on commit drop as select * from t where i >= a; insert into tmp values (b, s); lock table t in share mode;
  set local work_mem = '2MB'; perform set_config('work_mem', '3MB', true); if a = 1 then truncate t; end if; analyze log; return (select count(*) from tmp); end`,
  ),
  "writes in a common table expression, MERGE, upserts": returning(
    "int",
    `
declare n int; begin
  with gone as (delete from t where i = a returning *) insert into log (what) select gone.s from gone;
  merge into t using (values (b, f.s)) as v (i, s) on t.i = v.i when matched then update set s = 'm' || v.s when not matched then insert values (v.i, v.s);
  insert into t values (a, f.s) on conflict (i) do update set s = excluded.s || 'u' returning i into n; return n; end`,
  ),
};
