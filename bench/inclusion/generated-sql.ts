import fc, { type Arbitrary } from "fast-check";

/*
 * Statements over the tables of generated cases: ta and tb are plain, tc refers to ta, tp has partitions,
 * and tl is a log. All but the log have the columns id and v, with few rows and small values, so that
 * statements meet each other.
 */

/** The tables that statements read and write, in the order in which triggers may write on. */
export const TABLES = ["ta", "tb", "tc", "tp"] as const;

const id = fc.constantFrom(1, 1, 2);
const newId = fc.constantFrom(2, 3, 4);
const value = fc.constantFrom(1, 3, 7);
const shown = fc.constantFrom("", " returning id, v", " returning id, v");

/** Fills the holes of a text with generated values. */
export function sql(
  parts: TemplateStringsArray,
  ...holes: readonly Arbitrary<string | number>[]
): Arbitrary<string> {
  return fc
    .tuple(...holes)
    .map((values) => parts.map((part, at) => `${part}${values[at] ?? ""}`).join(""));
}

/** One of the tables, mostly one of the first two, so that clients meet. */
const from = (tables: readonly string[]): Arbitrary<string> =>
  fc.oneof(
    ...tables.map((name) => ({
      weight: name === "ta" ? 9 : name === "tb" ? 3 : 1,
      arbitrary: fc.constant(name),
    })),
  );

/** Statements that read, and show what they have read. */
export function reads(tables: readonly string[]): Arbitrary<string> {
  const table = from(tables);
  return fc.oneof(
    sql`select v from ${table} where id = ${id}`,
    sql`select id, v from ${table} order by id`,
    sql`select sum(v), count(*) from ${table}`,
    sql`select x.v, y.v as w from ${table} x, ${table} y where x.id = ${id} and y.id = ${id}`,
    sql`select count(*) from ${table} where v > ${value}`,
  );
}

/** Statements that write one of the targets, or the log, and read any of the sources. */
export function writes(targets: readonly string[], sources: readonly string[]): Arbitrary<string> {
  const log = sql`insert into tl (v) select sum(v) from ${from(sources)}`;
  if (targets.length === 0) return log;
  const [to, read] = [from(targets), from(sources)];
  return fc.oneof(
    sql`update ${to} set v = v + 1 where id = ${id}${shown}`,
    sql`update ${to} set v = ${value} where id = ${id}`,
    sql`update ${to} set v = v + 2${shown}`,
    sql`update ${to} set v = v + 4 where v < ${value}${shown}`,
    sql`update ${to} set v = (select sum(v) from ${read}) where id = ${id}`,
    sql`update ${to} set v = 5 where not exists (select from ${read} where v = 5)`,
    sql`insert into ${to} (id, v) values (${newId}, ${value})`,
    sql`insert into ${to} (id, v) select ${newId}, count(*) from ${read}`,
    sql`insert into ${to} (id, v) select 3, 3 where not exists (select from ${read} where v = 3)`,
    sql`insert into ${to} as t (id, v) values (${newId}, ${value}) on conflict (id) do update set v = t.v + 1${fc.constantFrom("", " returning t.v")}`,
    sql`insert into ${to} (id, v) values (${newId}, ${value}) on conflict do nothing${shown}`,
    sql`delete from ${to} where id = ${id}${shown}`,
    sql`delete from ${to} where v > ${value}`,
    sql`merge into ${to} t using (values (${newId}, ${value})) s (id, v) on t.id = s.id when matched then update set v = t.v + s.v when not matched then insert (id, v) values (s.id, s.v)`,
    sql`with x as (update ${to} set v = v + 1 where id = ${id} returning v) update ${to} t set v = x.v + 10 from x where t.id = ${id}`,
    sql`with x as (delete from ${to} where id = ${id} returning v) insert into tl (v) select v from x`,
    log,
  );
}

/** Statements that lock rows, or what stands for something. */
const locks = (tables: readonly string[]): Arbitrary<string> =>
  fc.oneof(
    sql`select v from ${from(tables)} where id = ${id} for ${fc.constantFrom("update", "no key update", "share", "key share")}`,
    sql`select v from ${from(tables)} where id = ${id} for update ${fc.constantFrom("nowait", "skip locked")}`,
    sql`select id, v from ${from(tables)} order by id limit 1 for update skip locked`,
    sql`select id, v from ${from(tables)} order by id${fc.constantFrom("", " desc")} for update`,
    sql`select pg_advisory_xact_lock(${id})::text`,
    sql`select pg_try_advisory_xact_lock(${id})`,
    sql`lock table ${from(tables)} in share row exclusive mode`,
  );

/** Calls of the routines that a case may define, and statements over its view. */
const calls = (tables: readonly string[]): Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom("select fp()", "select fp()", "select fq()", "select fs()", "select ft()"),
    fc.constantFrom("call pr()", "select id, fq() as f from ta order by id"),
    sql`update ${from(tables)} set v = ft() where id = ${id} returning v`,
    sql`select id, v from vw order by id`,
    sql`update vw set v = v + 1 where id = ${id}`,
    sql`insert into vw (id, v) values (${newId}, ${value})`,
  );

/** Changes of the schema: of objects that the setup has not made. */
const definitions: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "create table if not exists da (id int primary key)",
    "insert into da values (1)",
    "create or replace function df() returns int language sql as 'select 1'",
    "create schema if not exists ds",
    "do $$ begin create type dt as enum ('x'); exception when duplicate_object then null; end $$",
    "do $$ begin create table da (id int); end $$",
    "create index if not exists di on ta (v)",
    "create type dt as enum ('x')",
    "create sequence if not exists dq",
  ),
);

/** Statements that can be sent by themselves. */
export const statements = (tables: readonly string[]): Arbitrary<string> =>
  fc.oneof(
    { weight: 10, arbitrary: writes(tables, tables) },
    { weight: 3, arbitrary: reads(tables) },
    { weight: 3, arbitrary: locks(tables) },
    { weight: 8, arbitrary: calls(tables) },
    { weight: 1, arbitrary: definitions },
    {
      weight: 1,
      arbitrary: sql`do $$ begin ${writes(tables, tables)}; ${writes(tables, tables)}; end $$`,
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "select id, rank() over (order by xmin::text::bigint) from ta order by id",
        "insert into tc (id, v, ta_id) values (5, 1, 1)",
        "insert into tc (id, v, ta_id) values (6, 1, 3)",
        "update tp set id = 12 where id = 1",
        "insert into te values (1, '[1,5)')",
        "insert into te values (2, '[3,8)')",
        "lock table ta, tb",
        "lock table tb, ta",
      ),
    },
  );

/** Statements that make sense in a transaction only. */
const inTransaction = (tables: readonly string[]): Arbitrary<readonly string[]> =>
  fc.oneof(
    { weight: 8, arbitrary: statements(tables).map((one) => [one]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(writes(tables, tables), fc.boolean())
        .map(([one, back]) => ["savepoint s", one, back ? "rollback to s" : "release s"]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(from(tables), fc.constantFrom("", " for update"))
        .map(([table, locked]) => [
          `declare cu cursor for select id, v from ${table} where id < 3${locked}`,
          "fetch 1 from cu",
          ...(locked === "" ? [] : [`update ${table} set v = v + 1 where current of cu`]),
        ]),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ["set constraints all immediate"],
        ["set constraints all deferred"],
      ),
    },
  );

const begin = fc.oneof(
  { weight: 5, arbitrary: fc.constant("begin") },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("repeatable read", "serializable")
      .map((level) => `begin isolation level ${level}`),
  },
);

/** What one client sends in one go: a statement, a message with several, or a transaction. */
export const blocks = (tables: readonly string[], most: number): Arbitrary<readonly string[]> =>
  fc.oneof(
    { weight: 5, arbitrary: statements(tables).map((one) => [one]) },
    {
      weight: 1,
      arbitrary: fc.tuple(statements(tables), statements(tables)).map((two) => [two.join("; ")]),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          begin,
          fc.array(inTransaction(tables), { minLength: 1, maxLength: most }),
          fc.constantFrom("commit", "commit", "commit", "commit", "rollback"),
        )
        .map(([first, inner, last]) => [first, ...inner.flat(), last]),
    },
  );

/** Statements of a PL/pgSQL routine, each with its semicolon. */
export function bodies(targets: readonly string[], tables: readonly string[]): Arbitrary<string> {
  const write = writes(targets, tables).map((text) => text.replace(/ returning .*/, ""));
  const [table, other] = [from(tables), from(tables)];
  const statement = fc.oneof(
    { weight: 3, arbitrary: sql`${write};` },
    {
      weight: 2,
      arbitrary: fc
        .tuple(from(targets.length > 0 ? targets : ["tl"]), id)
        .map(([name, key]) =>
          name === "tl"
            ? "select sum(v) into x from ta; insert into tl (v) values (x);"
            : `select v into x from ${name} where id = ${key}; update ${name} set v = x + 1 where id = ${key};`,
        ),
    },
    {
      weight: 2,
      arbitrary: sql`if exists (select from ${table} where v > ${value}) then ${write}; elsif exists (select from ${other} where v > ${value}) then ${write}; else ${write}; end if;`,
    },
    {
      weight: 1,
      arbitrary: sql`for r in select id, v from ${table} order by id loop ${write}; end loop;`,
    },
    {
      weight: 1,
      arbitrary: sql`while i < 2 and exists (select from ${table} where v < 5) loop i := i + 1; ${write}; end loop;`,
    },
    { weight: 1, arbitrary: sql`begin ${write}; exception when others then ${write}; end;` },
    {
      weight: 2,
      arbitrary: sql`if (select sum(v) from ${table}) > ${fc.constantFrom(3, 4, 6)} then raise exception 'refused'; end if;`,
    },
    { weight: 1, arbitrary: sql`perform pg_advisory_xact_lock(${id});` },
    { weight: 1, arbitrary: sql`execute '${write}';` },
    {
      weight: 1,
      arbitrary: sql`x := case when (select sum(v) from ${table}) > 3 then 1 when (select sum(v) from ${other}) > 3 then 2 else 3 end; insert into tl (v) values (x);`,
    },
  );
  return fc.oneof(
    { weight: 3, arbitrary: statement },
    { weight: 1, arbitrary: fc.tuple(statement, statement).map((two) => two.join(" ")) },
  );
}
