import type { Json } from "../core/json.ts";
import type { DefinedOperation } from "./operation-definition.ts";
import { type ReferencedRows, referencesIn, withReferences } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";

/** A column that operations refer to, as SQL names it: `public.orders`, `id`. */
export interface SqlColumn {
  readonly table: string;
  readonly column: string;
}

/** A foreign key of one column. */
interface ForeignKey extends SqlColumn {
  readonly target: string;
  readonly targetColumn: string;
}

const KEYS = `
  select f.conrelid::regclass::text as "table", quote_ident(a.attname) as "column",
         f.confrelid::regclass::text as target, quote_ident(b.attname) as "targetColumn"
    from pg_constraint f
    join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
    join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
   where f.contype = 'f' and cardinality(f.conkey) = 1
   order by f.conrelid, f.conkey[1]`;

/**
 * Finds rows of other tables that belong to a row: the item of an order, an order of an item, an order of the
 * same customer as an invoice. Operations on such rows touch the same data.
 */
export class RelatedRows {
  readonly #query: ClientQuery;
  readonly #columns: ReadonlyMap<string, SqlColumn>;
  readonly #keys: readonly ForeignKey[];

  private constructor(
    query: ClientQuery,
    columns: ReadonlyMap<string, SqlColumn>,
    keys: readonly ForeignKey[],
  ) {
    this.#query = query;
    this.#columns = columns;
    this.#keys = keys;
  }

  /** @param columns by the names that references have */
  static async of(
    query: ClientQuery,
    columns: ReadonlyMap<string, SqlColumn>,
  ): Promise<RelatedRows> {
    const keys = (await query(KEYS)) as unknown as readonly ForeignKey[];
    return new RelatedRows(query, columns, keys);
  }

  /**
   * The second operation with rows that belong to those of the first one, in the database as it is now; undefined
   * if none do.
   *
   * @param rows those that references are drawn from now
   */
  async related(
    one: DefinedOperation,
    other: DefinedOperation,
    rows: ReferencedRows,
  ): Promise<DefinedOperation | undefined> {
    const places = new Map<string, number>();
    for (const { of, row } of referencesIn(one)) {
      const value = rows.get(of)?.[row];
      if (value === undefined) continue;
      for (const { of: wanted } of referencesIn(other)) {
        if (wanted === of || places.has(wanted)) continue;
        const place = await this.#placeOf(of, value, wanted, rows.get(wanted) ?? []);
        if (place >= 0) places.set(wanted, place);
      }
    }
    if (places.size === 0) return undefined;
    return withReferences(other, (reference) => ({
      ...reference,
      row: places.get(reference.of) ?? reference.row,
    }));
  }

  /** The place of a value of the column `to` whose row belongs to that of a value of `from`; or -1. */
  async #placeOf(from: string, value: Json, to: string, values: readonly Json[]): Promise<number> {
    const [mine, other] = [this.#columns.get(from), this.#columns.get(to)];
    if (mine === undefined || other === undefined) return -1;
    for (const join of joinsOf(mine, other, this.#keys)) {
      const found = await this.#query(
        `select to_jsonb(b.${other.column}) as value from ${mine.table} a, ${other.table} b
          where to_jsonb(a.${mine.column}) = $1::jsonb and ${join}`,
        [JSON.stringify(value)],
      );
      const texts = new Set(found.map((row) => JSON.stringify(row["value"])));
      const place = values.findIndex((one) => texts.has(JSON.stringify(one)));
      if (place >= 0) return place;
    }
    return -1;
  }
}

/** How a row `a` of one table and a row `b` of another one belong together, the closest first. */
function joinsOf(
  { table: mine }: SqlColumn,
  { table: other }: SqlColumn,
  keys: readonly ForeignKey[],
): readonly string[] {
  const of = (table: string) => keys.filter((key) => key.table === table);
  return [
    ...of(mine).flatMap(({ column, target, targetColumn }) =>
      target === other ? `a.${column} = b.${targetColumn}` : [],
    ),
    ...of(other).flatMap(({ column, target, targetColumn }) =>
      target === mine ? `b.${column} = a.${targetColumn}` : [],
    ),
    ...of(mine).flatMap((key) =>
      of(other).flatMap((its) =>
        key.target === its.target && key.targetColumn === its.targetColumn
          ? `a.${key.column} = b.${its.column}`
          : [],
      ),
    ),
  ];
}
