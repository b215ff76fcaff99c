import type { ClientBase } from "pg";
import { loadParser } from "../parser/sql.ts";
import { bodyOf, type RoutineBody, type RoutineRow } from "./routine-steps.ts";

/** A table, view or sequence of the application, and what reading or writing it leads to. */
export interface Relation {
  readonly oid: number;
  /** Its name in footprints: for a partition or an inheriting table, the name of its root. */
  readonly object: string;
  /** `relkind` in pg_class. */
  readonly kind: string;
  /** Whether it has row level security, rules of its own, or more than one root. */
  readonly opaque: boolean;
  /** The query of a view. */
  readonly query: string | undefined;
  /** The oids of its triggers' functions, except Heddle's own. */
  readonly triggers: readonly number[];
  /** Its expressions in defaults, checks, indexes, partition keys and triggers, as queries. */
  readonly expressions: readonly string[];
  /** The sequences that its columns own. */
  readonly sequences: readonly string[];
  /** Whether it has a deferrable constraint or trigger, or is referenced by one. */
  readonly deferred: boolean;
  /** Whether it has an exclusion constraint. */
  readonly excludes: boolean;
  /** Whether a statement that writes it meets gates in Heddle's triggers. */
  readonly gated: boolean;
}

export interface ForeignKey {
  readonly child: number;
  readonly parent: number;
  /** `confdeltype` in pg_constraint: `a` and `r` change no row, `c` cascades, `n` and `d` set columns. */
  readonly onDelete: string;
  /** `confupdtype` in pg_constraint, with the same values. */
  readonly onUpdate: string;
}

/** A routine of the application. */
export interface Routine {
  readonly oid: number;
  readonly name: string;
  readonly body: RoutineBody;
  /** Whether its source contains statements that change the schema. */
  readonly alters: boolean;
  /** Whether a text in its source changes what a session keeps after the transaction. */
  readonly changesSession: boolean;
}

/** The part of a database's schema that footprints are derived from. */
export interface Catalog {
  relationsNamed(name: string): readonly Relation[];
  /** The relation with its partitions and parents: a write to one may be a write to any of them. */
  hierarchyOf(relation: Relation): readonly Relation[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Whether anything in the schema reads the time at which a transaction began. */
  readonly readsStart: boolean;
  relation(oid: number): Relation | undefined;
  routinesNamed(name: string): readonly Routine[];
  /** The routines of the application's operators with this name. */
  operatorsNamed(name: string): readonly Routine[];
  routine(oid: number): Routine | undefined;
  /** What casts and domains run. A text does not show where they are used. */
  readonly ambient: {
    readonly routines: readonly Routine[];
    readonly expressions: readonly string[];
  };
  /** The server's functions by name, with the highest `provolatile` of those with this name. */
  readonly builtin: ReadonlyMap<string, string>;
  /** The names of transition tables, which exist only inside their trigger. */
  readonly transitions: ReadonlySet<string>;
}

const APPLICATION = "nspname !~ '^(pg_.*|information_schema|heddle)$'";

const RELATIONS = `
with recursive roots(oid, root) as (
  select c.oid, c.oid from pg_class c where not exists (select from pg_inherits where inhrelid = c.oid)
  union
  select inhrelid, root from pg_inherits join roots on inhparent = roots.oid
)
select c.oid, relname as name, relkind as kind,
       (select string_agg(root::regclass::text, ' ' order by root) from roots where roots.oid = c.oid) as object,
       relrowsecurity or (relkind <> 'v' and relhasrules) or exists (
         select from roots own join roots kin using (root) join roots other on other.oid = kin.oid
          where own.oid = c.oid and other.root <> kin.root) as opaque,
       case when relkind = 'v' then pg_get_viewdef(c.oid) end as query,
       array(select tgfoid from pg_trigger t join pg_proc f on f.oid = tgfoid
              where tgrelid = c.oid and not tgisinternal
                and pronamespace is distinct from to_regnamespace('heddle')) as triggers,
       exists (select from pg_trigger t join pg_proc f on f.oid = tgfoid
                where tgrelid = c.oid and pronamespace = to_regnamespace('heddle')) as gated,
       array(select pg_get_triggerdef(t.oid) from pg_trigger t join pg_proc f on f.oid = tgfoid
              where tgrelid = c.oid and not tgisinternal and tgqual is not null
                and pronamespace is distinct from to_regnamespace('heddle')) as conditions,
       array(select 'select ' || pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = c.oid
             union all
             select 'select ' || pg_get_expr(conbin, conrelid) from pg_constraint
              where conrelid = c.oid and conbin is not null
             union all
             select 'select ' || pg_get_expr(indexprs, indrelid) from pg_index
              where indrelid = c.oid and indexprs is not null
             union all
             select 'select ' || pg_get_expr(indpred, indrelid) from pg_index
              where indrelid = c.oid and indpred is not null
             union all
             select 'select ' || pg_get_expr(partexprs, partrelid) from pg_partitioned_table
              where partrelid = c.oid and partexprs is not null) as expressions,
       array(select objid::regclass::text from pg_depend
              where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
                and refobjid = c.oid and deptype in ('a', 'i')
                and objid in (select oid from pg_class where relkind = 'S')) as sequences,
       exists (select from pg_constraint where condeferrable and c.oid in (conrelid, confrelid))
         or exists (select from pg_trigger where tgrelid = c.oid and tgdeferrable) as deferred,
       exists (select from pg_constraint where contype = 'x' and conrelid = c.oid) as excludes
  from pg_class c join pg_namespace n on n.oid = relnamespace
 where ${APPLICATION} and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
 order by c.oid`;

const FOREIGN_KEYS = `
select conrelid as child, confrelid as parent, confdeltype as "onDelete", confupdtype as "onUpdate"
  from pg_constraint where contype = 'f'`;

const ROUTINES = `
select p.oid, proname as name, prokind as kind, lanname as language, provolatile as volatility,
       prosrc as source, prosqlbody is not null as parsed,
       pg_get_expr(proargdefaults, 0) as defaults,
       case lanname when 'plpgsql' then pg_get_functiondef(p.oid) end as definition
  from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_language l on l.oid = prolang
 where ${APPLICATION}`;

/** Matches statements that change the schema in a routine's source, or in a text that it builds. */
const ALTERS = new RegExp(
  String.raw`\b(alter|create|drop)\s+(or\s+replace|%|aggregate|cast|constraint|domain|event|extension|foreign` +
    "|function|index|materialized|operator|policy|procedure|recursive|routine|rule|schema|sequence|table" +
    "|trigger|type|unique|unlogged|view)",
  "i",
);

/** Matches texts that a routine makes at run time and that change what a session keeps. */
const CHANGES_SESSION =
  /\bexecute\b[^;]*['|$]\s*(set|reset|prepare|deallocate|listen|unlisten|discard|create\s+(local\s+)?temp)/i;

/** Matches what reads the time at which a transaction began. */
const READS_START =
  /\b(now|transaction_timestamp)\s*\(|\b(current_(timestamp|time|date)|localtime(stamp)?)\b|'now'/i;

const BUILTIN = `
select proname as name, case when bool_or(provolatile = 'v') then 'v'
                             when bool_or(provolatile = 's') then 's' else 'i' end as volatility
  from pg_proc where pronamespace = 'pg_catalog'::regnamespace group by 1`;

const OPERATORS = `
select oprname as name, oprcode::oid as oid from pg_operator join pg_namespace n on n.oid = oprnamespace
 where ${APPLICATION}`;

const CASTS = "select castfunc as oid from pg_cast where castfunc <> 0";

/** The domains of the information schema are for its own views. */
const DOMAINS = `
with domains as (
  select t.oid, typdefault from pg_type t join pg_namespace n on n.oid = typnamespace
   where typtype = 'd' and nspname <> 'information_schema')
select 'select ' || pg_get_expr(conbin, 0) as expression from pg_constraint join domains d on d.oid = contypid
union all
select 'select ' || typdefault from domains where typdefault is not null`;

const TRANSITIONS = `
select unnest(array[tgnewtable, tgoldtable]) as name from pg_trigger`;

type RelationRow = Omit<Relation, "query"> & {
  readonly name: string;
  readonly query: string | null;
  readonly conditions: readonly string[];
};

/** Reads the schema as it is now. The gates in routines show where steps start. */
export async function readCatalog(client: ClientBase): Promise<Catalog> {
  await loadParser();
  const rows = async <Row>(sql: string) => (await client.query(sql)).rows as Row[];
  const relations = (await rows<RelationRow>(RELATIONS)).map(
    ({ conditions, query, expressions, ...relation }) => ({
      ...relation,
      query: query ?? undefined,
      expressions: [...expressions, ...conditions.map(conditionOf)],
    }),
  );
  const sources = await rows<RoutineRow & Pick<Routine, "oid" | "name">>(ROUTINES);
  const routines = sources.map((row) => ({
    oid: row.oid,
    name: row.name,
    body: bodyOf(row),
    alters: ALTERS.test(row.source),
    changesSession: CHANGES_SESSION.test(row.source),
  }));
  const routine = byKey(routines, ({ oid }) => oid);
  const relation = byKey(relations, ({ oid }) => oid);
  const named = grouped(relations, ({ name }) => name);
  const hierarchies = grouped(relations, ({ object }) => object);
  const routinesNamed = grouped(routines, ({ name }) => name);
  const operators = grouped(await rows<{ name: string; oid: number }>(OPERATORS), (it) => it.name);
  return {
    relationsNamed: (name) => named.get(name) ?? [],
    hierarchyOf: ({ object }) => hierarchies.get(object) ?? [],
    foreignKeys: await rows<ForeignKey>(FOREIGN_KEYS),
    readsStart:
      sources.some(({ source, parsed }) => parsed || READS_START.test(source)) ||
      relations.some(({ query = "", expressions }) =>
        [query, ...expressions].some((text) => READS_START.test(text)),
      ),
    relation: (oid) => relation.get(oid),
    routinesNamed: (name) => routinesNamed.get(name) ?? [],
    operatorsNamed: (name) =>
      (operators.get(name) ?? []).flatMap(({ oid }) => routine.get(oid) ?? []),
    routine: (oid) => routine.get(oid),
    ambient: {
      routines: (await rows<{ oid: number }>(CASTS)).flatMap(({ oid }) => routine.get(oid) ?? []),
      expressions: (await rows<{ expression: string }>(DOMAINS)).map((it) => it.expression),
    },
    builtin: new Map(
      (await rows<{ name: string; volatility: string }>(BUILTIN)).map((it) => [
        it.name,
        it.volatility,
      ]),
    ),
    transitions: new Set(
      (await rows<{ name: string | null }>(TRANSITIONS)).flatMap(({ name }) => name ?? []),
    ),
  };
}

function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

function byKey<Key, T>(items: readonly T[], key: (item: T) => Key): ReadonlyMap<Key, T> {
  return new Map(items.map((item) => [key(item), item]));
}

/** The condition of a trigger as a query. `select ?` cannot be parsed, and so counts as unknown. */
function conditionOf(definition: string): string {
  return `select ${/ WHEN \((.*)\) EXECUTE /s.exec(definition)?.[1] ?? "?"}`;
}
