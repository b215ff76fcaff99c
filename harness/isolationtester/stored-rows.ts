import type { QueryArrayResult } from "pg";
import { type Connection, connect } from "../postgres/connection.ts";
import { literal } from "./sql-text.ts";

const TABLES = `
  select c.oid::regclass::text as name,
         array_agg(quote_ident(a.attname) order by a.attnum) as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
     and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
   group by c.oid
   order by c.oid`;

const SEQUENCES = `
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^pg_'
     and n.nspname <> 'heddle'
   order by c.oid`;

/**
 * Statements that put all rows of a database, and the positions of its sequences, into another one
 * with the same schema; as a superuser, since triggers and foreign keys stay out of it.
 */
export async function storedRows(url: string): Promise<string[]> {
  const client = await connect(url);
  try {
    const { rows: tables } = await client.query<{ name: string; columns: string[] }>(TABLES);
    if (tables.length === 0) return [];
    const inserts: string[] = [];
    for (const { name, columns } of tables) inserts.push(...(await rowsOf(client, name, columns)));
    return [
      "set session_replication_role = replica",
      `truncate ${tables.map(({ name }) => name).join(", ")}`,
      ...inserts,
      ...(await positions(client)),
      "reset session_replication_role",
    ];
  } finally {
    await client.end();
  }
}

async function rowsOf(
  client: Connection,
  name: string,
  columns: readonly string[],
): Promise<string[]> {
  const texts = columns.map((column) => `${column}::text`).join(", ");
  const { rows }: QueryArrayResult<(string | null)[]> = await client.query({
    text: `select ${texts} from only ${name} order by ctid`,
    rowMode: "array",
  });
  if (rows.length === 0) return [];
  const values = rows.map((row) => `  (${row.map(literal).join(", ")})`).join(",\n");
  const into = `${name} (${columns.join(", ")}) overriding system value`;
  return [`insert into ${into} values\n${values}`];
}

async function positions(client: Connection): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(SEQUENCES);
  const all: string[] = [];
  for (const { name } of rows) {
    const { rows: at } = await client.query<{ last_value: string; is_called: boolean }>(
      `select last_value, is_called from ${name}`,
    );
    const [position] = at;
    if (position === undefined) continue;
    const { last_value, is_called } = position;
    all.push(`select setval(${literal(name)}, ${last_value}, ${is_called})`);
  }
  return all;
}
