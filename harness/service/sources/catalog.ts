import type { ColumnName } from "../row-reference.ts";
import type { ClientQuery } from "../scenario-definition.ts";

/** A column, as far as values for it are concerned. */
export type CatalogColumn = {
  readonly name: string;
  /** As `format_type` writes it: `integer`, `character varying`, the name of an enum. */
  readonly type: string;
  /** Whether it is a key by itself: primary or unique. */
  readonly key: boolean;
  readonly primary: boolean;
  /** The column that it refers to, as a name for `rowOf`; null if it refers to none. */
  readonly refers: ColumnName | null;
  /** The definitions of the checks that name it. */
  readonly checks: readonly string[];
};

/** A table of the schema under test. */
export type CatalogTable = {
  readonly schema: string;
  readonly name: string;
  /** Whether the search path finds it by its name alone. */
  readonly visible: boolean;
  readonly columns: readonly CatalogColumn[];
};

/** A function or a procedure that a client can call. */
export type CatalogFunction = {
  readonly schema: string;
  readonly name: string;
  readonly procedure: boolean;
  /** Those that a call gives, in their order. */
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
};

/** What the catalog of a migrated database says: plain JSON. */
export type SchemaCatalog = {
  readonly tables: readonly CatalogTable[];
  readonly functions: readonly CatalogFunction[];
  /** The labels of each enum, by its type. */
  readonly enums: { readonly [type: string]: readonly string[] };
};

/** For operations that need none. */
export const NO_CATALOG: SchemaCatalog = { tables: [], functions: [], enums: {} };

const OWN_SCHEMAS = "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')";

const TABLES = `
  with keys as (
    select conrelid as relation, conkey[1] as number, contype = 'p' as is_primary
      from pg_constraint where contype in ('p', 'u') and cardinality(conkey) = 1
    union all
    select indrelid, indkey[0], false from pg_index
     where indisunique and indnkeyatts = 1 and indpred is null and indkey[0] <> 0
  ), referred as (
    select distinct on (f.conrelid, pair.number) f.conrelid as relation, pair.number,
           case when pg_table_is_visible(t.oid) then '' else s.nspname || '.' end
             || t.relname || '.' || a.attname as name
      from pg_constraint f
      cross join unnest(f.conkey, f.confkey) as pair (number, target)
      join pg_class t on t.oid = f.confrelid
      join pg_namespace s on s.oid = t.relnamespace
      join pg_attribute a on a.attrelid = f.confrelid and a.attnum = pair.target
     where f.contype = 'f'
     order by f.conrelid, pair.number, cardinality(f.conkey)
  )
  select n.nspname as schema, c.relname as name, pg_table_is_visible(c.oid) as visible,
         jsonb_agg(jsonb_build_object(
           'name', a.attname,
           'type', format_type(a.atttypid, null),
           'key', exists (select from keys k where k.relation = c.oid and k.number = a.attnum),
           'primary', exists (select from keys k
                               where k.relation = c.oid and k.number = a.attnum and k.is_primary),
           'refers', (select r.name from referred r where r.relation = c.oid and r.number = a.attnum),
           'checks', (select coalesce(jsonb_agg(pg_get_constraintdef(k.oid) order by k.conname), '[]')
                        from pg_constraint k
                       where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum])
         ) order by a.attnum) as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't' and ${OWN_SCHEMAS}
   group by n.nspname, c.relname, c.oid
   order by c.oid`;

const FUNCTIONS = `
  select n.nspname as schema, p.proname as name, p.prokind = 'p' as procedure,
         coalesce((select jsonb_agg(jsonb_build_object(
             'name', coalesce(p.proargnames[given.number], ''),
             'type', format_type(given.type, null)) order by given.number)
           from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                with ordinality as given (type, number)
          where p.proargmodes is null or p.proargmodes[given.number] in ('i', 'b', 'v')), '[]') as parameters
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_type r on r.oid = p.prorettype
   where p.prokind in ('f', 'p') and r.typname not in ('trigger', 'event_trigger', 'internal')
     and ${OWN_SCHEMAS}
     and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
   order by p.oid`;

const ENUMS = `
  select format_type(enumtypid, null) as type, jsonb_agg(enumlabel order by enumsortorder) as labels
    from pg_enum group by enumtypid order by enumtypid`;

/** Reads the catalog of a migrated database. */
export async function readCatalog(query: ClientQuery): Promise<SchemaCatalog> {
  const tables = (await query(TABLES)) as unknown as readonly CatalogTable[];
  const functions = (await query(FUNCTIONS)) as unknown as readonly CatalogFunction[];
  const enums = (await query(ENUMS)) as unknown as readonly {
    readonly type: string;
    readonly labels: readonly string[];
  }[];
  return {
    tables,
    functions,
    enums: Object.fromEntries(enums.map(({ type, labels }) => [type, labels])),
  };
}

/** The name of a column for `rowOf`. */
export function columnName(
  { schema, name, visible }: CatalogTable,
  column: Pick<CatalogColumn, "name">,
): ColumnName {
  return `${visible ? "" : `${schema}.`}${name}.${column.name}`;
}
