import fc, { type Arbitrary } from "fast-check";
import { sql } from "./generated-sql.ts";
import type { InclusionCase, InclusionClient } from "./inclusion-case.ts";

/*
 * Cases in which one kind of gate tells outcomes apart that no other kind does, as far as that is known: if it
 * were missing, or reduction left out one of its places, an outcome would be missed. Each is small, so that its
 * search ends, and holds its window open.
 */

/** A schema, and what two clients send. */
interface Shape {
  readonly setup?: readonly string[];
  readonly clients: readonly (readonly string[])[];
  readonly isolation?: InclusionCase["isolation"];
}

const PAUSE = "pg_sleep(0.002)";
const SETUP = [
  "create table ta (id int primary key, v int)",
  "insert into ta values (1, 1), (2, 2)",
];

const id = fc.constantFrom(1, 2);
const read = fc.oneof(
  sql`(select v from ta where id = ${id})`,
  fc.constantFrom("(select sum(v) from ta)", "(select count(*) from ta where v > 1)"),
);
/** Changes what each read returns, so that two reads with it in between tell that it was. */
const write = fc.constantFrom(
  "update ta set v = v + 2",
  "update ta set v = 5 - 2 * v",
  "delete from ta",
);

/** A function that only reads: no trigger stops it. */
const readingRoutine: Arbitrary<Shape> = fc
  .record({
    first: read,
    second: read,
    write,
    how: fc.constantFrom("plpgsql", "sql", "condition", "do"),
  })
  .map(({ first, second, write, how }) => {
    const body = `declare x int; y int; begin x := ${first}; perform ${PAUSE}; y := ${second};`;
    const define = (text: string) => `create function f() returns text language ${text}`;
    const one: { readonly [how: string]: Shape } = {
      plpgsql: {
        setup: [define(`plpgsql as $$ ${body} return x || ' ' || y; end $$`)],
        clients: [["select f()"]],
      },
      condition: {
        setup: [
          define(
            `plpgsql as $$ begin if (select sum(v) from ta, ${PAUSE}) > 9 then return 'a'; elsif ${second} <> 3 then return 'b'; end if; return 'c'; end $$`,
          ),
        ],
        clients: [["select f()"]],
      },
      sql: {
        setup: [
          define(
            `sql as $$ select set_config('read.first', ${first}::text, true); select ${PAUSE}; select current_setting('read.first') || ' ' || ${second} $$`,
          ),
        ],
        clients: [["select f()"]],
      },
      do: {
        setup: ["create table td (x int, y int)"],
        clients: [[`do $$ ${body} insert into td values (x, y); end $$`]],
      },
    };
    const shape = one[how] ?? { clients: [] };
    return { isolation: "read committed", ...shape, clients: [...shape.clients, [write]] };
  });

/** Two rows that one statement writes one after the other, in both orders. */
const rowsInTurn: Arbitrary<Shape> = fc
  .record({ add: fc.constantFrom(1, 10), deletes: fc.boolean() })
  .map(({ add, deletes }) => ({
    clients: [1, 2].map((first) => [
      deletes
        ? `with x as (delete from ta where id = ${first} returning v, ${PAUSE}) update ta t set v = x.v + ${add} from x where t.id = ${3 - first}`
        : `with x as (update ta set v = v + 1 where id = ${first} returning v, ${PAUSE}) update ta t set v = x.v + ${add} from x where t.id = ${3 - first}`,
    ]),
  }));

/** A check that reads last, after which only the commit follows. */
const checkedAtCommit: Arbitrary<Shape> = fc
  .record({
    check: fc.constantFrom(
      "(select count(*) from ta where v > 0) < 1",
      "(select sum(v) from ta) < 1",
      "not exists (select from ta where v > 0)",
    ),
    deferred: fc.boolean(),
    block: fc.boolean(),
  })
  .map(({ check, deferred, block }) => ({
    setup: [
      `create function tg() returns trigger language plpgsql as $$ begin if ${check} then raise exception 'refused'; end if; perform ${PAUSE}; return null; end $$`,
      deferred
        ? "create constraint trigger tg after update on ta deferrable initially deferred for each row execute function tg()"
        : "create trigger tg after update on ta for each row execute function tg()",
    ],
    clients: [1, 2].map((key) => {
      const text = `update ta set v = 0 where id = ${key}`;
      return block && deferred ? ["begin", text, "commit"] : [text];
    }),
  }));

const definitionTwice: Arbitrary<Shape> = fc
  .constantFrom(
    "create type dt as enum ('x')",
    "create schema ds",
    "create or replace function df() returns int language sql as 'select 1'",
    "do $$ begin create type dt as enum ('x'); end $$",
  )
  .map((text) => ({ clients: [[text], [text]] }));

/** What a statement sees as it is, and what as it was when it began. */
const newerThanSnapshot: Arbitrary<Shape> = fc.oneof(
  fc.record({ first: id, key: id }).map(({ first, key }) => ({
    clients: [
      [`update ta set v = 5 where id = ${first}`, `update ta set v = 6 where id = ${3 - first}`],
      [`update ta set v = v + 100 * (select sum(v) from ta, ${PAUSE}) where id = ${key}`],
    ],
  })),
  fc.constantFrom("skip locked", "nowait").map((how) => ({
    isolation: "repeatable read" as const,
    clients: [1, 1].map((key) => [
      "begin",
      `select id from ta order by id limit 1 for update ${how}`,
      `delete from ta where id = ${key}`,
      "commit",
    ]),
  })),
);

const message: Arbitrary<Shape> = fc
  .record({ first: read, second: read, write })
  .map(({ first, second, write }) => ({
    isolation: "read committed",
    clients: [[`select ${first} as x, ${PAUSE}; select ${second} as y`], [write]],
  }));

const locks: Arbitrary<Shape> = fc
  .record({
    how: fc.constantFrom("for update", "for no key update", "advisory"),
    refers: fc.boolean(),
  })
  .map(({ how, refers }) => {
    const lock = (order: string) =>
      how === "advisory"
        ? `select pg_advisory_xact_lock(id)::text, ${PAUSE} from ta order by id${order}`
        : `select id, ${PAUSE} from ta order by id${order} ${how}`;
    if (!refers) return { clients: [[lock("")], [lock(" desc")]] };
    return {
      setup: ["create table tc (ta_id int references ta)"],
      clients: [
        [`insert into tc values (1), (2)`],
        [`select id, ${PAUSE} from ta order by id desc for update`],
      ],
    };
  });

/** Each kind of gate as often as each other one. */
export const tellingCases: Arbitrary<InclusionCase> = fc
  .record({
    shape: fc.oneof(
      ...[readingRoutine, rowsInTurn, checkedAtCommit, definitionTwice],
      ...[newerThanSnapshot, message, locks],
    ),
    isolation: fc.constantFrom(
      ...(["read committed", "read committed", "repeatable read"] as const),
    ),
  })
  .map(({ shape, isolation }) => ({
    isolation: shape.isolation ?? isolation,
    setup: [...SETUP, ...(shape.setup ?? [])],
    clients: shape.clients.map((messages): InclusionClient => ({ protocol: "simple", messages })),
  }));
