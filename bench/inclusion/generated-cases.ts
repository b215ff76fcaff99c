import fc, { type Arbitrary } from "fast-check";
import { blocks, bodies, reads, statements, TABLES, writes } from "./generated-sql.ts";
import type { InclusionCase, InclusionClient, Protocol } from "./inclusion-case.ts";

/** A part of a schema: it is left out of a case in which nothing names it. */
interface Part {
  readonly name: string;
  readonly sql: readonly string[];
}

const ROWS = "values (1, 1), (2, 2)";

/** The tables, with their rows. */
const TABLE_PARTS: readonly Part[] = [
  table("ta", "id int primary key, v int", ROWS),
  table("tb", "id int primary key, v int", ROWS),
  {
    name: "tp",
    sql: [
      "create table tp (id int primary key, v int) partition by range (id)",
      "create table tp1 partition of tp for values from (0) to (10)",
      "create table tp2 partition of tp for values from (10) to (20)",
      `insert into tp ${ROWS}`,
    ],
  },
  table("tl", "n int generated always as identity, v int"),
  table("te", "id int primary key, during int4range, exclude using gist (during with &&)"),
];

function table(name: string, columns: string, rows?: string): Part {
  const insert = rows === undefined ? [] : [`insert into ${name} ${rows}`];
  return { name, sql: [`create table ${name} (${columns})`, ...insert] };
}

const referring: Arbitrary<Part> = fc
  .constantFrom(
    "",
    " on delete cascade",
    " on delete set null",
    " deferrable initially deferred",
    " on delete cascade deferrable initially deferred",
  )
  .map((how) => ({
    name: "tc",
    sql: [
      `create table tc (id int primary key, v int, ta_id int references ta${how})`,
      "insert into tc values (1, 1, 1)",
    ],
  }));

const DECLARE = "declare x int; r record; i int := 0; begin";

const routines = (tables: readonly string[]): Arbitrary<readonly Part[]> =>
  fc
    .record({
      fp: bodies(tables, tables),
      fq: bodies(tables, tables),
      fs: fc.array(writes(tables, tables), { minLength: 1, maxLength: 2 }),
      ft: reads(tables),
      pr: fc.tuple(bodies(tables, tables), fc.constantFrom("", " commit;"), bodies(tables, tables)),
      from: fc.constantFrom(...tables),
    })
    .map(({ fp, fq, fs, ft, pr, from }) => [
      routine(
        "fp",
        `function fp() returns int language plpgsql as $$ ${DECLARE} ${fp} perform fq(); return x; end $$`,
      ),
      routine(
        "fq",
        `function fq() returns int language plpgsql as $$ ${DECLARE} ${fq} select sum(v) into x from ${from}; return x; end $$`,
      ),
      routine(
        "fs",
        `function fs() returns bigint language sql as $$ ${fs.join("; ")}; select sum(v) from ${from} $$`,
      ),
      routine(
        "ft",
        `function ft() returns int stable language plpgsql as $$ ${DECLARE} for r in ${ft} loop i := i + 1; end loop; select sum(v) into x from ${from}; return x + i; end $$`,
      ),
      routine("pr", `procedure pr() language plpgsql as $$ ${DECLARE} ${pr.join(" ")} end $$`),
    ]);

function routine(name: string, definition: string): Part {
  return { name, sql: [`create ${definition}`] };
}

const views = (tables: readonly string[]): Arbitrary<Part> =>
  fc
    .oneof(
      fc.constant(["create view vw as select id, v from ta where v < 9"]),
      fc
        .constantFrom(
          ...["update ta set v = new.v where id = new.id", "insert into tl (v) values (new.v)"],
        )
        .chain((action) =>
          fc
            .constantFrom("instead", "also")
            .map((how) => [
              "create view vw as select id, v from tb",
              `create rule ru as on update to vw do ${how} ${action}`,
            ]),
        ),
      bodies(tables, tables).map((body) => [
        "create view vw as select ta.id, ta.v + tb.v as v from ta join tb using (id)",
        `create function vt() returns trigger language plpgsql as $$ ${DECLARE} ${body} return new; end $$`,
        "create trigger vt instead of insert or update on vw for each row execute function vt()",
      ]),
    )
    .map((sql) => ({ name: "vw", sql }));

/** A trigger writes only tables that come after its own, so that triggers end. */
const triggers = (tables: readonly string[]): Arbitrary<readonly string[]> =>
  fc
    .nat(tables.length - 1)
    .chain((at) =>
      fc.record({
        on: fc.constant(tables[at] ?? "ta"),
        body: bodies(tables.slice(at + 1), tables),
        event: fc.constantFrom(
          "insert",
          "update",
          "update",
          "delete",
          "insert or update or delete",
        ),
        kind: fc.constantFrom(
          "before row",
          "after row",
          "before statement",
          "after statement",
          "deferred",
          "deferred",
        ),
      }),
    )
    .map(({ on, body, event, kind }) => {
      const name = `tr_${on}_${kind}_${event}`.replaceAll(" ", "_");
      const [when, level] = kind.split(" ");
      const define = `create or replace function ${name}() returns trigger language plpgsql as $$ ${DECLARE} ${body} if tg_op = 'DELETE' then return old; end if; return new; end $$`;
      if (kind === "deferred") {
        return [
          define,
          `drop trigger if exists ${name} on ${on}`,
          `create constraint trigger ${name} after ${event} on ${on} deferrable initially deferred for each row execute function ${name}()`,
        ];
      }
      return [
        define,
        `create or replace trigger ${name} ${when} ${event} on ${on} for each ${level} execute function ${name}()`,
      ];
    });

const constraints: Arbitrary<readonly string[]> = fc.constantFrom(
  ["alter table ta add unique (v) deferrable initially deferred"],
  ["create unique index on tb (v)"],
  ["alter table ta add check (v < 6)"],
  ["alter table tb alter v set default 8"],
  [
    "alter table ta enable row level security",
    "drop policy if exists po on ta",
    "create policy po on ta using (v <= (select max(v) from tb))",
  ],
  [
    "alter table tb enable row level security",
    "drop policy if exists po on tb",
    "create policy po on tb using (v < 4) with check (true)",
  ],
);

const protocols = fc.constantFrom<Protocol>("simple", "simple", "extended");

/** A client with some blocks, and at most so many statements in a transaction. */
const clients = (
  tables: readonly string[],
  most: number,
  inside: number,
): Arbitrary<InclusionClient> =>
  fc
    .record({
      protocol: protocols,
      blocks: fc.array(blocks(tables, inside), { minLength: 1, maxLength: most }),
    })
    .map(({ protocol, blocks }) => ({ protocol, messages: blocks.flat() }));

const addition = (tables: readonly string[]): Arbitrary<readonly string[]> =>
  fc.oneof({ weight: 3, arbitrary: triggers(tables) }, { weight: 1, arbitrary: constraints });

/** A client with a single statement. */
const single = (tables: readonly string[]): Arbitrary<InclusionClient> =>
  fc
    .record({ protocol: protocols, statement: statements(tables) })
    .map(({ protocol, statement }) => ({ protocol, messages: [statement] }));

const together = (
  ...all: readonly Arbitrary<InclusionClient>[]
): Arbitrary<readonly InclusionClient[]> => fc.tuple(...all);

/** Small scenarios that may use everything of which Heddle says that it is controlled. */
export const broadCases: Arbitrary<InclusionCase> = fc
  .constantFrom<readonly string[]>(
    ...[["ta"], ["ta"], ["ta", "tb"], ["ta", "tb"], ["ta", "tc"], ["ta", "tp"], [...TABLES]],
  )
  .chain(casesOver);

function casesOver(tables: readonly string[]): Arbitrary<InclusionCase> {
  return fc
    .record({
      isolation: fc.constantFrom(
        "read committed",
        "read committed",
        "repeatable read",
        "serializable",
      ),
      referring,
      routines: routines(tables),
      view: views(tables),
      additions: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 3, arbitrary: fc.tuple(addition(tables)) },
        { weight: 1, arbitrary: fc.tuple(addition(tables), addition(tables)) },
      ),
      clients: fc.oneof(
        { weight: 3, arbitrary: together(clients(tables, 1, 2), clients(tables, 1, 2)) },
        { weight: 1, arbitrary: together(clients(tables, 1, 2), clients(tables, 2, 1)) },
        { weight: 1, arbitrary: together(clients(tables, 1, 1), single(tables), single(tables)) },
      ),
    } as const)
    .map(({ isolation, referring, routines, view, additions, clients }) => ({
      isolation,
      setup: setupFor(
        clients.flatMap(({ messages }) => messages),
        [...TABLE_PARTS, referring, ...routines, view],
        additions,
      ),
      clients,
    }));
}

/** The parts that the messages name, directly or by other parts, and what is added to their tables. */
function setupFor(
  messages: readonly string[],
  parts: readonly Part[],
  additions: readonly (readonly string[])[],
): readonly string[] {
  const used = new Set<Part>();
  const added = new Set<readonly string[]>();
  for (let texts = messages; texts.length > 0; ) {
    const named = texts.join("\n");
    const names = (name: string) => new RegExp(`\\b${name}\\b`).test(named);
    const more = parts.filter((part) => !used.has(part) && names(part.name));
    for (const part of more) used.add(part);
    const targets = [...used].map(({ name }) => name);
    const newer = additions.filter(
      (addition) => !added.has(addition) && targets.some((name) => belongsTo(addition, name)),
    );
    for (const addition of newer) added.add(addition);
    texts = [...more.flatMap(({ sql }) => sql), ...newer.flat()];
  }
  // Tables are referred to before they exist only in bodies, which are not checked.
  return [
    "set check_function_bodies = off",
    ...parts.filter((part) => used.has(part)).flatMap(({ sql }) => sql),
    ...additions.filter((addition) => added.has(addition)).flat(),
  ];
}

function belongsTo(addition: readonly string[], name: string): boolean {
  return addition.some(
    (text) =>
      new RegExp(`\\b(on|table) ${name}\\b`).test(text) &&
      !text.startsWith("create or replace function"),
  );
}
