import fc, { type Arbitrary } from "fast-check";
import { sql } from "./generated-sql.ts";
import type { InclusionCase, InclusionClient, Protocol } from "./inclusion-case.ts";

/*
 * Cases whose clients meet: all of them read and write the same two rows, mostly of one table. Most read
 * before they write, take locks in either order, or have a check that spans rows. Half of the windows are
 * held open for a millisecond, so that a few hundred uncontrolled runs show what can happen in them.
 */

/** What one client sends in one go, and the routine that it calls by the name `%f`. */
interface Piece {
  readonly messages: readonly string[];
  readonly defines?: string;
}

const SLEEP = "pg_sleep(0.001)";

const id = fc.constantFrom(1, 1, 1, 2);
const eitherOrder = fc.constantFrom("", " desc");
const pause = fc.constantFrom("", ` perform ${SLEEP};`);
const slowColumn = fc.constantFrom("", `, ${SLEEP}`);
const slowRow = fc.constantFrom("", `, ${SLEEP} as slow`);

/** The tables of a case: the first one is the hot one. */
type Tables = readonly [string, string];

const tables: Arbitrary<Tables> = fc.constantFrom<Tables>(
  ...([
    ["ta", "ta"],
    ["ta", "ta"],
    ["ta", "tb"],
  ] as const),
);

const single = (text: Arbitrary<string>): Arbitrary<Piece> =>
  text.map((one) => ({ messages: [one] }));

/** A query with one value over several rows or one, as an expression. */
const readOf = (of: Arbitrary<string>): Arbitrary<string> =>
  fc.oneof(
    sql`(select sum(v) from ${of}${slowRow})`,
    sql`(select v from ${of}${slowRow} where id = ${id})`,
    sql`(select count(*) from ${of}${slowRow} where v > 1)`,
  );

/** Mostly the hot table. */
const oneOf = ([hot, other]: Tables): Arbitrary<string> => fc.constantFrom(hot, hot, hot, other);

/** The statements of a routine that reads before it writes, or takes two locks. */
function bodies(names: Tables): Arbitrary<string> {
  const of = oneOf(names);
  const read = readOf(of);
  const write = fc.oneof(
    sql`update ${of} set v = coalesce(x, v) + 1 where id = ${id};`,
    sql`update ${of} set v = v + 2 where id = ${id};`,
    fc.constant("insert into tl (v) values (x);"),
    sql`delete from ${of} where id = ${id};`,
  );
  return fc.oneof(
    sql`x := ${read};${pause} ${write}`,
    sql`x := ${read};${pause} x := x * 10 + ${read};`,
    sql`if ${read} < 4 then${pause} ${write} end if;`,
    sql`if ${read} > 9 then ${write} elsif ${read} < 4 then${pause} ${write} end if;`,
    sql`update ${of} set v = v + 1 where id = ${id};${pause} update ${of} set v = v + 3 where id = ${id};`,
    sql`perform from ${of} where id = ${id} for update;${pause} x := ${read};`,
    sql`perform pg_advisory_xact_lock(${id});${pause} perform pg_advisory_xact_lock(${id});`,
    sql`for r in select id from ${of} order by id loop update ${of} set v = v + 1 where id = r.id;${pause} end loop;`,
  );
}

const DECLARE = "declare x int; r record; begin";

/** What calls the statements of a routine. */
const routines = (names: Tables): Arbitrary<Piece> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .tuple(bodies(names), fc.oneof(fc.constant("x"), readOf(oneOf(names))))
        .map(([body, result]) => ({
          messages: ["select %f()"],
          defines: `create function %f() returns int language plpgsql as $$ ${DECLARE} ${body} return ${result}; end $$`,
        })),
    },
    {
      weight: 1,
      arbitrary: bodies(names).map((body) => ({ messages: [`do $$ ${DECLARE} ${body} end $$`] })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(bodies(names), pause, bodies(names)).map(([first, between, second]) => ({
        messages: ["call %f()"],
        defines: `create procedure %f() language plpgsql as $$ ${DECLARE} ${first}${between} commit; ${second} end $$`,
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(oneOf(names), id, fc.constantFrom("", ` select ${SLEEP};`), readOf(oneOf(names)))
        .map(([of, key, between, read]) => ({
          messages: ["select %f()"],
          defines: `create function %f() returns bigint language sql as $$ insert into tl (v) select v from ${of} where id = ${key};${between} select ${read}::bigint $$`,
        })),
    },
  );

/** Statements that see, write or lock several things in one. */
const statements = (names: Tables): Arbitrary<Piece> => {
  const of = oneOf(names);
  return single(
    fc.oneof(
      sql`update ${of} set v = v + 1 where id = ${id} returning v`,
      sql`update ${of} set v = v + 1`,
      sql`update ${of} set v = 0 where id = ${id}`,
      sql`update ${of} set v = v + ${readOf(of)} where id = ${id} returning v`,
      sql`update ${of} set v = v + 3 where v < 3${fc.constantFrom("", ` and ${SLEEP} is not null`)}`,
      sql`delete from ${of} where id = ${id} returning v`,
      sql`insert into ${of} (id, v) values (${fc.constantFrom(3, 3, 1)}, 3) on conflict (id) do update set v = excluded.v + 1 returning v`,
      sql`insert into ${of} (id, v) select 3, ${readOf(of)}`,
      sql`insert into tl (v) select 9 where not exists (select from tl${slowRow} where v = 9)`,
      sql`insert into tl (v) select ${readOf(of)}`,
      sql`with x as (update ${of} set v = v + 1 where id = ${id} returning v${slowColumn}) update ${of} t set v = x.v + 10 from x where t.id = ${id}`,
      sql`with x as (delete from ${of} where id = ${id} returning v${slowColumn}) insert into tl (v) select v from x`,
      sql`select id, v${slowColumn} from ${of} order by id${eitherOrder} for update`,
      sql`select id, v${slowColumn} from ${of} order by id${eitherOrder} for share`,
      sql`select id, v from ${of} order by id limit 1 for update skip locked`,
      sql`select id, v${slowColumn} from ${of} where id = ${id} for update nowait`,
      sql`select id, v from ${of} order by id`,
    ),
  );
};

/** Locks of both rows, one after the other. */
const locks = (names: Tables): Arbitrary<Piece> =>
  single(sql`select id${slowColumn} from ${oneOf(names)} order by id${eitherOrder} for update`);

/** Messages with several statements, in the simple protocol. */
const messages = (names: Tables): Arbitrary<Piece> => {
  const of = oneOf(names);
  return single(
    fc.oneof(
      sql`select v${slowColumn} from ${of} where id = ${id}; select v from ${of} where id = ${id}`,
      sql`select sum(v)${slowColumn} from ${of}; update ${of} set v = v + 1 where id = ${id}`,
      sql`update ${of} set v = v + 1 where id = ${id} returning v${slowColumn}; update ${of} set v = v + 1 where id = ${id}`,
    ),
  );
};

const transactions = (names: Tables): Arbitrary<Piece> => {
  const of = oneOf(names);
  const inner = fc.oneof(
    { weight: 3, arbitrary: fc.array(statements(names), { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.tuple(routines(names)) },
    {
      weight: 2,
      arbitrary: single(
        fc.constantFrom(
          ...["lock table ta, tb in share row exclusive mode", "lock table tb, ta"],
          ...["set constraints all immediate"],
        ),
      ).chain((first) => statements(names).map((second) => [first, second])),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(
        single(sql`select id, v from ${of} order by id limit 1 for update skip locked`),
        single(sql`delete from ${of} where id = ${id}`),
      ),
    },
  );
  return inner.map((pieces) => {
    const defines = pieces.flatMap((piece) => piece.defines ?? []).at(0);
    return {
      messages: ["begin", ...pieces.flatMap((piece) => piece.messages), "commit"],
      ...(defines !== undefined && { defines }),
    };
  });
};

/** Several keys that refer to the hot rows, in either order. */
const references = single(
  fc.oneof(
    sql`insert into tc (v, ta_id) values (1, ${id}), (1, ${id})`,
    sql`insert into tc (v, ta_id) select ${id}, id from ta order by id${eitherOrder}`,
    sql`delete from ta where id = ${id}`,
    sql`update ta set id = id + 4 where id = ${id}`,
  ),
);

const definitions = single(
  fc.constantFrom(
    "create type dt as enum ('x')",
    "create or replace function df() returns int language sql as 'select 1'",
    "create schema ds",
    "do $$ begin create type dt as enum ('x'); exception when duplicate_object then null; end $$",
  ),
);

const contenders = (names: Tables): Arbitrary<Piece> =>
  fc.oneof(
    { weight: 4, arbitrary: routines(names) },
    { weight: 4, arbitrary: statements(names) },
    { weight: 1, arbitrary: messages(names) },
    { weight: 2, arbitrary: transactions(names) },
  );

/** Writes of the hot rows, which the others notice. */
const writers = ([hot]: Tables): Arbitrary<Piece> => {
  const of = fc.constant(hot);
  return fc.oneof(
    single(sql`update ${of} set v = v + 1 where id = ${id}`),
    single(sql`update ${of} set v = 3 - v`),
    single(sql`delete from ${of} where id = ${id}`),
    fc.tuple(id, id).map((ids) => ({
      messages: ids.map((one) => `update ${hot} set v = v + 5 where id = ${one}`),
    })),
    fc.tuple(id, id).map((ids) => ({
      messages: [
        "begin",
        ...ids.map((one) => `update ${hot} set v = v + 5 where id = ${one}`),
        "commit",
      ],
    })),
  );
};

/** The same with the two rows, tables and orders exchanged: it takes locks the other way round. */
function mirrored({ messages, defines }: Piece): Piece {
  const mirror = (text: string) =>
    text
      .replace(/\b(id = |lock\()([12])\b/g, (_, before, key) => `${before}${3 - Number(key)}`)
      .replace(
        /order by id( desc)?/g,
        (_, desc) => `order by id${desc === undefined ? " desc" : ""}`,
      )
      .replace("lock table ta, tb", "lock table tb, ta");
  return {
    messages: messages.map(mirror),
    ...(defines !== undefined && { defines: mirror(defines) }),
  };
}

/** What takes several locks, which can be taken the other way round too. */
const takesLocks = (names: Tables): Arbitrary<Piece> =>
  fc
    .oneof(routines(names), statements(names), transactions(names), references)
    .filter(({ messages, defines = "" }) => {
      const text = [...messages, defines].join(" ");
      return (text.match(/id = |lock\(|order by id|lock table|tc/g) ?? []).length > 1;
    });

/** What each of two or three clients does. */
const contention = (names: Tables): Arbitrary<readonly Piece[]> => {
  const piece = contenders(names);
  const alike = fc.oneof({ weight: 7, arbitrary: piece }, { weight: 1, arbitrary: definitions });
  return fc.oneof(
    { weight: 3, arbitrary: alike.map((one) => [one, one]) },
    { weight: 2, arbitrary: takesLocks(names).map((one) => [one, mirrored(one)]) },
    { weight: 4, arbitrary: fc.tuple(piece, writers(names)) },
    { weight: 1, arbitrary: fc.tuple(references, fc.oneof(locks(names), writers(names))) },
    { weight: 1, arbitrary: fc.tuple(piece, writers(names), writers(names)) },
  );
};

/** Triggers and constraints that read when a hot row is written. */
const additions = ([hot, other]: Tables): Arbitrary<readonly string[]> => {
  const check = fc.oneof(
    sql`if ${readOf(fc.constantFrom(hot, other))} < ${fc.constantFrom(2, 3)} then raise exception 'refused'; end if;${pause}`,
    sql`if not exists (select from ${fc.constant(hot)} where v > 0) then raise exception 'refused'; end if;${pause}`,
    sql`x := ${readOf(fc.constantFrom(hot, other))};${pause} insert into tl (v) values (x);`,
    sql`insert into tl (v) select ${readOf(fc.constant(hot))};${pause}`,
  );
  const trigger = (body: string, create: string): readonly string[] => [
    `create function tg() returns trigger language plpgsql as $$ ${DECLARE} ${body} return null; end $$`,
    `create ${create} for each row execute function tg()`,
  ];
  const events = `insert or update or delete on ${hot}`;
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    {
      weight: 3,
      arbitrary: check.map((body) =>
        trigger(body, `constraint trigger tg after ${events} deferrable initially deferred`),
      ),
    },
    {
      weight: 1,
      arbitrary: check.map((body) => trigger(body, `trigger tg after ${events}`)),
    },
    {
      weight: 1,
      arbitrary: fc.constant([`alter table ${hot} add unique (v) deferrable initially deferred`]),
    },
  );
};

const TABLES: readonly (readonly [name: string, columns: string, rows?: string])[] = [
  ["ta", "id int primary key, v int", "values (1, 1), (2, 2)"],
  ["tb", "id int primary key, v int", "values (1, 1), (2, 2)"],
  ["tc", "v int, ta_id int references ta"],
  ["tl", "n int generated always as identity, v int"],
];

const protocol = fc.constantFrom<Protocol>("simple", "simple", "extended");

/** Small scenarios whose clients contend for the same rows. */
export const contendingCases: Arbitrary<InclusionCase> = tables.chain((names) =>
  fc
    .record({
      isolation: fc.constantFrom(
        ...(["read committed", "read committed", "repeatable read", "serializable"] as const),
      ),
      protocols: fc.tuple(protocol, protocol, protocol),
      pieces: contention(names),
      addition: additions(names),
    })
    .map(({ isolation, protocols, pieces, addition }) => {
      const clients = pieces.map(({ messages }, index): InclusionClient => {
        const texts = messages.map((text) => text.replaceAll("%f", `f${index}`));
        return { protocol: protocols[index] ?? "simple", messages: texts };
      });
      const routines = pieces.flatMap(({ defines }, index) =>
        defines === undefined ? [] : [defines.replaceAll("%f", `f${index}`)],
      );
      return { isolation, setup: setupFor([...routines, ...addition], clients), clients };
    }),
);

/** The tables that something names, or that those refer to, and then what is given. */
function setupFor(given: readonly string[], clients: readonly InclusionClient[]): string[] {
  const texts = [...given, ...clients.flatMap(({ messages }) => messages)].join("\n");
  // A case has a table: its observation reads one.
  const named = TABLES.filter(([name]) => name === "ta" || new RegExp(`\\b${name}\\b`).test(texts));
  return [
    "set check_function_bodies = off",
    ...named.flatMap(([name, columns, rows]) => [
      `create table ${name} (${columns})`,
      ...(rows === undefined ? [] : [`insert into ${name} ${rows}`]),
    ]),
    ...given,
  ];
}
