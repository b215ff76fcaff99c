import type { ClientBase } from "pg";
import type { Place } from "../core/trace.ts";
import { memoize } from "../parser/memoize.ts";
import { namesIn } from "../parser/names.ts";
import { loadParser, parseStatements } from "../parser/sql.ts";
import { BLOCK_PLACE } from "./do-blocks.ts";
import { BEFORE_ROW } from "./row-gates.ts";
import { AFTER_SNAPSHOT } from "./snapshot-gates.ts";

/** A part of statements in which clients can race, and in which no gate can stand. */
export interface UngatedPart {
  /** Such as `the exclusion constraint on e`. */
  readonly name: string;
  /** Whether the schema has it: otherwise it matters only once clients have met there. */
  readonly ofSchema: boolean;
  /** The table of an exclusion constraint, as `regclass` prints it. */
  readonly excludes?: string;
  /**
   * Whether a statement that goes on from a place comes to it before any other gate.
   *
   * @param place undefined: it goes on from before the request
   */
  follows(place: number | undefined, sql: string): boolean;
}

/**
 * The parts without a gate, by the places of all gates of a database.
 *
 * - An exclusion constraint inserts the row into its index, and then looks for conflicts
 *   (check_exclusion_or_unique_constraint in src/backend/executor/execIndexing.c): two sessions that
 *   insert before either looks wait for each other. What the server runs between the two is its own.
 * - Several calls of nextval for one row, or in one query: another session's calls can come between.
 * - CREATE looks for the relation, looks once more, and then for its row type (heap_create_with_catalog in
 *   src/backend/catalog/heap.c); so it does for a schema (NamespaceCreate in
 *   src/backend/catalog/pg_namespace.c): another session can commit in between. It does so from its commit, which is
 *   another gate, so that samples from here never show it. What a routine creates is not recognized.
 */
export async function ungatedParts(
  client: ClientBase,
  places: ReadonlyMap<number, Place>,
): Promise<readonly UngatedPart[]> {
  await loadParser();
  const constraints = await client.query<{ table: string; relation: string; gated: string }>(
    EXCLUSIONS,
  );
  const sequences = await client.query<{ name: string }>(SEVERAL_SEQUENCES);
  const next = (place: number | undefined, what: string): boolean =>
    place !== undefined && places.get(place)?.next === what;
  const has = (what: string) => [...places.values()].some((place) => place.next === what);
  const exclusions = constraints.rows.map(
    ({ table, relation, gated }): UngatedPart => ({
      name: `the exclusion constraint on ${table}`,
      ofSchema: true,
      excludes: table,
      follows: has(BEFORE_ROW)
        ? (place) => next(place, BEFORE_ROW) && places.get(place ?? 0)?.of === gated
        : (place, sql) => place === undefined && tablesWritten(sql).has(relation),
    }),
  );
  const values = severalValues(new Set(sequences.rows.map(({ name }) => name)), places);
  return [...exclusions, values, CATALOG_LOOKUPS];
}

/** CREATE of a relation or a schema: see `ungatedParts`. */
export const CATALOG_LOOKUPS: UngatedPart = {
  name: "the time between two look-ups of one CREATE",
  ofSchema: false,
  follows: (_, sql) => /\bcreate\b/i.test(sql) && creations(sql).length > 0,
};

/** The kinds of statements, by the parser's names, that look twice for what they create. */
const CREATIONS = new Set([
  ...["CreateStmt", "CreateTableAsStmt", "ViewStmt", "CompositeTypeStmt"],
  ...["CreateSeqStmt", "CreateSchemaStmt"],
]);

/** The statements of a text that create something which other sessions see. */
const creations = memoize((sql: string) =>
  (parseStatements(sql) ?? []).filter((statement) =>
    Object.entries(statement).some(
      ([type, fields]) => CREATIONS.has(type) && !isTemporary(fields as Creation),
    ),
  ),
);

/** Where the parser puts the relation that a statement creates. */
interface Creation {
  readonly relation?: CreatedRelation;
  readonly view?: CreatedRelation;
  readonly sequence?: CreatedRelation;
  readonly into?: { readonly rel?: CreatedRelation };
}

interface CreatedRelation {
  readonly relpersistence?: string;
}

function isTemporary({ relation, view, sequence, into }: Creation): boolean {
  return [relation, view, sequence, into?.rel].some((one) => one?.relpersistence === "t");
}

/** The row gate of a partition is that of its root. */
const EXCLUSIONS = `
select distinct conrelid::regclass::text as table, relname as relation,
       coalesce(pg_partition_root(conrelid), conrelid)::regclass::text as gated
  from pg_constraint join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = connamespace
 where contype = 'x' and conparentid = 0
   and nspname !~ '^(pg_.*|information_schema|heddle|migrations)$'
 order by 1`;

/** Tables in which a row takes several values of sequences by default. */
const SEVERAL_SEQUENCES = `
select relname as name
  from pg_class c join pg_namespace n on n.oid = relnamespace
  join pg_attribute a on attrelid = c.oid left join pg_attrdef d on adrelid = c.oid and adnum = attnum
 where nspname !~ '^(pg_.*|information_schema|heddle|migrations)$'
   and (attidentity <> '' or pg_get_expr(adbin, adrelid) ~ 'nextval\\(')
 group by c.oid having count(*) > 1`;

const tablesWritten = memoize(
  (sql: string) =>
    new Set(namesIn(sql).writes.flatMap(({ table, how }) => (how === "delete" ? [] : table))),
);

/** What comes before several calls of nextval: nothing (`request`), or the snapshot of a statement that writes. */
type Before = "none" | "snapshot" | "request";

/** Several calls of nextval for one row, or in one query, of a client or of a routine. */
function severalValues(
  tables: ReadonlySet<string>,
  places: ReadonlyMap<number, Place>,
): UngatedPart {
  const before = memoize((sql: string) => ({ part: valuesIn(sql, tables) }));
  const snapshots = [...places.values()].some(({ next }) => next === AFTER_SNAPSHOT);
  const inRoutines = new Map<number, Before>();
  /** The tables that routines write with several values. */
  const written = new Set<string>();
  for (const [number, { line, next }] of places) {
    if (line === null) continue;
    const query = queryOf(next);
    const part = valuesIn(query, tables);
    inRoutines.set(number, part);
    if (part === "snapshot") for (const table of tablesWritten(query)) written.add(table);
  }
  const isNext = (part: Before) => part === "request" || (part === "snapshot" && !snapshots);
  return {
    name: "the calls of nextval in one statement",
    ofSchema: false,
    follows(number, sql) {
      if (number === undefined) return isNext(before(sql).part);
      const place = places.get(number);
      if (place === undefined) return false;
      if (place.next === AFTER_SNAPSHOT) {
        return before(sql).part === "snapshot" || written.has(place.of.replace(/^.*\./, ""));
      }
      if (place === BLOCK_PLACE) return /^\s*do\b/i.test(sql) && callsIn(sql) > 1;
      return isNext(inRoutines.get(number) ?? "none");
    },
  };
}

/** Calls of nextval in a text that the parser may not read. */
const callsIn = (text: string): number => text.match(/\bnextval\s*\(/gi)?.length ?? 0;

function valuesIn(sql: string, tables: ReadonlySet<string>): Before {
  const statements = parseStatements(sql);
  if (statements === undefined) return callsIn(sql) > 1 ? "request" : "none";
  if (statements.length !== 1) return "none";
  const { calls, reads, writes } = namesIn(sql);
  const count = calls.filter(({ name, operator }) => !operator && name === "nextval").length;
  const inserts = writes.filter(({ how }) => how === "insert");
  const byDefault = inserts.some(({ table }) => tables.has(table));
  const each = writes.length === 0 && reads.length > 0 ? 2 : 1;
  if (!byDefault && count * each < 2) return "none";
  return writes.length > 0 ? "snapshot" : "request";
}

/** The query in a statement of PL/pgSQL; the text itself if it is not known to hold one. */
function queryOf(text: string): string {
  return text
    .replace(/^(?:again|the next row|the next table): /, "")
    .replace(/^<<[^>]*>>\s*/, "")
    .replace(/\s*(?:\bthen|\bloop|;)$/i, "")
    .replace(/(\breturning\b.+?)\binto\b.*$/is, "$1")
    .replace(/^(?:return\s+query|for\s.+?\sin)\s+/i, "")
    .replace(/^(?:perform|return(?:\s+next)?|if|els(?:e)?if|while|case|when)\b/i, "select")
    .replace(/^[\w."[\]]+\s*:?=/, "select ");
}
