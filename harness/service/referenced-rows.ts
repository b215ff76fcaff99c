import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { SqlColumn } from "./related-rows.ts";
import type { ReferencedRows } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import type { Emptying } from "./snapshot.ts";

/** The most rows that references are drawn from. */
const MOST = 10;

/** The rows that references are drawn from, in the order of `RowReference.row`, of the values of a column. */
export function referents(values: readonly Json[]): readonly Json[] {
  return [...new Set(values)]
    .filter((value) => value !== null)
    .sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    .slice(0, MOST);
}

/**
 * Finds a column by its name, exactly as it is in the catalog: `Order.id` is the `id` of `"Order"`. Keys that chance may
 * choose are in another order each time that a prefix is executed; the rows' places in their table are not.
 */
const COLUMN = `
  select format('%I.%I', n.nspname, c.relname) as "table", format('%I', a.attname) as "column",
         c.oid::regclass::text as "shortTable", a.attcollation <> 0 as "isText",
         c.relkind = 'r' and to_regprocedure('max(tid)') is not null
           and (a.atttypid = 'uuid'::regtype or a.attcollation <> 0 and exists (
             select from pg_index where indrelid = c.oid and indisprimary and indkey::text = a.attnum::text
           )) as "isPlaced"
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname = $1 and a.attname = $2
     and ($3::text is null and pg_table_is_visible(c.oid) or n.nspname = $3)`;

/** Reads the values of the columns that operations refer to. */
export class ReferencedColumns {
  readonly #query: ClientQuery;
  /** The query for each column. */
  readonly #queries: ReadonlyMap<string, string>;
  /** Those whose rows have the order of their places, the last one first. */
  readonly #placed: ReadonlySet<string>;
  /** By the name that references have, as SQL names them. */
  readonly columns: ReadonlyMap<string, SqlColumn>;

  private constructor(
    query: ClientQuery,
    queries: ReadonlyMap<string, string>,
    placed: ReadonlySet<string>,
    columns: ReadonlyMap<string, SqlColumn>,
  ) {
    this.#query = query;
    this.#queries = queries;
    this.#placed = placed;
    this.columns = columns;
  }

  /**
   * Throws HarnessError `USAGE` for a column that there is not.
   *
   * @param emptying how tables are emptied: with "delete", places are used again at any moment, and tell nothing
   */
  static async of(
    columns: Iterable<string>,
    query: ClientQuery,
    emptying: Emptying = "truncate",
  ): Promise<ReferencedColumns> {
    const queries = new Map<string, string>();
    const placed = new Set<string>();
    const sqlColumns = new Map<string, SqlColumn>();
    for (const name of columns) {
      const [column, table, schema = null] = name.split(".").reverse();
      const [found] = await query(COLUMN, [table, column, schema]);
      if (found === undefined) {
        throw new HarnessError(
          "USAGE",
          `rowOf("${name}") names a column that there is not after the setup: give the names of the table and the column as the catalog has them`,
        );
      }
      const { table: from, column: value, shortTable, isText } = found;
      const isPlaced = found["isPlaced"] === true && emptying === "truncate";
      // As `referents` orders texts, whatever the collation of the database.
      const order = isPlaced ? "place" : isText ? `value collate "C"` : "value";
      if (isPlaced) placed.add(name);
      const place = isPlaced ? ", max(ctid) as place" : "";
      sqlColumns.set(name, { table: String(shortTable), column: String(value) });
      queries.set(
        name,
        `select to_jsonb(value) as value from (select ${value} as value${place} from ${from} group by 1) as rows
          where value is not null order by ${order} desc limit ${MOST}`,
      );
    }
    return new ReferencedColumns(query, queries, placed, sqlColumns);
  }

  /** @param columns default: all */
  async read(columns: Iterable<string> = this.#queries.keys()): Promise<ReferencedRows> {
    const rows = new Map<string, readonly Json[]>();
    for (const column of new Set(columns)) {
      const found = await this.#query(
        this.#queries.get(column) ?? "select null as value where false",
      );
      const values = found.map(({ value }) => value ?? null);
      rows.set(column, this.#placed.has(column) ? values : referents(values));
    }
    return rows;
  }
}
