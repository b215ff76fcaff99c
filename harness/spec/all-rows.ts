import type { Client, QueryArrayResult } from "pg";
import type { Snapshot } from "../core/execution.ts";

const TABLES = `
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`;

/** Values as the server sends them: as text. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** The types `timestamp` and `timestamptz`. */
const [PLAIN, ZONED] = [1114, 1184];

/** Instead of a time that a clock has told during the execution, which is another one each time. */
const CLOCK = "(from the clock)";

/** How far from now a time may be that was reckoned from the clock, in ms. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * All rows of all tables, in an order of their own.
 * @param since when the execution began.
 */
export async function allRows(client: Client, since: Date): Promise<Snapshot> {
  const { rows: tables } = await client.query<{ name: string }>(TABLES);
  const contents: { [table: string]: Snapshot[string] } = {};
  for (const { name } of tables) {
    const result = await client.query<(string | null)[]>({
      text: `select * from only ${name}`,
      rowMode: "array",
      types: AS_TEXT,
    });
    contents[name] = records(result, since).sort((a, b) => order(a, b));
  }
  return contents;
}

/** Rows as objects. */
export function records(
  { fields, rows }: Pick<QueryArrayResult<(string | null)[]>, "fields" | "rows">,
  since: Date,
): { [column: string]: string | null }[] {
  return rows.map((row) =>
    Object.fromEntries(
      fields.map(({ name, dataTypeID }, index) => {
        const value = row[index] ?? null;
        return [name, isFromClock(value, dataTypeID, since) ? CLOCK : value];
      }),
    ),
  );
}

function isFromClock(value: string | null, type: number, since: Date): boolean {
  if (value === null || (type !== PLAIN && type !== ZONED)) return false;
  const after = Date.parse(type === PLAIN ? `${value}Z` : value) - since.getTime();
  return after >= 0 && after <= DAY_MS;
}

function order(a: object, b: object): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
