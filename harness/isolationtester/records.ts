import type { Client, FieldDef, QueryArrayResult } from "pg";
import type { Snapshot } from "../core/execution.ts";

/** Values as the server sends them: as text. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** What came into being during an execution, and is another one in the next. */
export interface Fresh {
  /** When the execution began. */
  readonly since: Date;
  /** By column (`table/column`, as the protocol numbers them): the greatest id before. */
  readonly ids: ReadonlyMap<string, bigint>;
}

/** The types `timestamp` and `timestamptz`. */
const [PLAIN, ZONED] = [1114, 1184];

/** How far from now a time may be that was reckoned from the clock, in ms. */
const DAY_MS = 24 * 60 * 60 * 1_000;

const TABLES = `
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`;

/** Columns whose values a sequence gives, and columns that refer to those; with its position. */
const GENERATED = `
  with generated as (
    select a.attrelid as of, a.attnum as at,
           pg_sequence_last_value(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)
             ::regclass) as last
      from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
       and (a.attidentity <> '' or a.atthasdef)
       and pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) is not null
  )
  select of || '/' || at as column, coalesce(last, 0) as last from generated
  union all
  select k.conrelid || '/' || mine, coalesce(last, 0)
    from pg_constraint k, unnest(k.conkey, k.confkey) as pair (mine, other), generated
   where k.contype = 'f' and k.confrelid = generated.of and other = generated.at`;

/** What is there now, so that what comes later can be told from it. */
export async function beginning(client: Client): Promise<Fresh> {
  const { rows: now } = await client.query<{ at: Date }>("select clock_timestamp() as at");
  const { rows } = await client.query<{ column: string; last: string }>(GENERATED);
  return {
    since: now[0]?.at ?? new Date(),
    ids: new Map(rows.map(({ column, last }) => [column, BigInt(last)])),
  };
}

/** All rows of all tables. */
export async function allRows(client: Client, fresh: Fresh): Promise<Snapshot> {
  const { rows: tables } = await client.query<{ name: string }>(TABLES);
  const contents: { [table: string]: Snapshot[string] } = {};
  for (const { name } of tables) {
    const result = await client.query<(string | null)[]>({
      text: `select * from only ${name}`,
      rowMode: "array",
      types: AS_TEXT,
    });
    contents[name] = records(result, fresh);
  }
  return contents;
}

/**
 * Rows as objects, in an order of their own, since few statements ask for one; of times and ids that
 * are fresh they only say that.
 */
export function records(
  { fields, rows }: Pick<QueryArrayResult<(string | null)[]>, "fields" | "rows">,
  fresh: Fresh,
): { [column: string]: string | null }[] {
  const all = rows.map((row) =>
    Object.fromEntries(
      fields.map((field, index) => [field.name, repeatable(row[index] ?? null, field, fresh)]),
    ),
  );
  return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function repeatable(
  value: string | null,
  { dataTypeID, tableID, columnID }: FieldDef,
  { since, ids }: Fresh,
): string | null {
  if (value === null) return null;
  if (dataTypeID === PLAIN || dataTypeID === ZONED) {
    const after = Date.parse(dataTypeID === PLAIN ? `${value}Z` : value) - since.getTime();
    return after >= 0 && after <= DAY_MS ? "(from the clock)" : value;
  }
  const last = ids.get(`${tableID}/${columnID}`);
  return last !== undefined && /^\d+$/.test(value) && BigInt(value) > last ? "(new)" : value;
}
