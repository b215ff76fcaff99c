import type { Query } from "./definition.ts";
import { tablesOf } from "./tables.ts";

const SEQUENCES = `
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname <> 'heddle'
   order by c.oid`;

/** Where the script is kept that puts everything back: a system may be started more than once. */
const KEPT = "heddle.restore";

/**
 * Keeps a copy of all rows, in the database itself, unless that was done before. What it gives puts
 * them back, and has the sequences go on where they were, in one round trip: the tables are truncated
 * and filled anew, so that rows lie in the same order each time, with no triggers and no checks of
 * foreign keys.
 */
export async function remember(query: Query): Promise<() => Promise<void>> {
  await query("create schema if not exists heddle");
  const [known] = await query("select to_regclass($1)::text as name", [KEPT]);
  if (known?.["name"] === null) {
    const script = await copied(query);
    await query(`create table ${KEPT} as select $1::text as script`, [script]);
  }
  const [kept] = await query(`select script from ${KEPT}`);
  return async () => {
    await query(String(kept?.["script"]));
  };
}

async function copied(query: Query): Promise<string> {
  const tables = await tablesOf(query);
  const fill: string[] = [];
  for (const [number, { name, columns }] of tables.entries()) {
    await query(`create table heddle.rows_${number} as select * from only ${name}`);
    if (columns === null) continue;
    fill.push(
      `insert into ${name} (${columns}) overriding system value
       select ${columns} from heddle.rows_${number}`,
    );
  }
  const next: string[] = [];
  for (const { name } of await query(SEQUENCES)) {
    const [at] = await query(
      `select format('setval(%L, %s, %L)', $1::text, last_value, is_called) as call from ${name}`,
      [name],
    );
    next.push(String(at?.["call"]));
  }
  return [
    "begin",
    "set local session_replication_role = replica",
    ...(tables.length === 0 ? [] : [`truncate ${tables.map(({ name }) => name).join(", ")}`]),
    ...fill,
    ...(next.length === 0 ? [] : [`select ${next.join(", ")}`]),
    "commit",
  ].join(";\n");
}
