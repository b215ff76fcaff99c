import type { ClientQuery } from "./scenario-definition.ts";

/** A table, and the columns that are written to it, ready for use in SQL. */
export interface Table {
  readonly name: string;
  readonly columns: string | null;
}

/** All ordinary tables of the schema under test, partitions included. */
const TABLES = `
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
         (select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
            from pg_attribute a
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             and a.attgenerated = '') as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
   order by c.oid`;

export async function tablesOf(query: ClientQuery): Promise<readonly Table[]> {
  const rows = await query(TABLES);
  return rows.map(({ name, columns }) => ({
    name: String(name),
    columns: columns === null || columns === undefined ? null : String(columns),
  }));
}
