import fc, { type Arbitrary } from "fast-check";
import { HarnessError } from "../core/error.ts";
import type { Json, JsonObject } from "../core/json.ts";

/** A column with the name of its table: `items.id`, `sales.items.id`. */
export type ColumnName = `${string}.${string}`;

/**
 * A value of a column, chosen by its place: the value of a row depends on what was executed before, and
 * an operation is data that does not.
 */
export type RowReference = {
  readonly of: ColumnName;
  /**
   * From 0: the number of the row among those that exist after the scenario's prefix, the one with the
   * greatest value first; of UUIDs and of texts that are keys, the one that was written last. Numbers beyond the last
   * row begin again at the first one.
   */
  readonly row: number;
  /**
   * The id in the client's last answer that had one, if there is one. Default: rows that exist after the
   * prefix only.
   */
  readonly own?: true;
};

/** The code of an operation whose row reference has no row: it is not sent. */
export const NO_ROW = "NO_ROW";

/** Few, so that operations meet: the same row in 4 of 9 cases. */
const ROWS = [0, 0, 0, 1, 1, 2];
const OWN = [false, false, false, true];

/**
 * A value of a column of an existing row: one of few, so that concurrent operations meet at the same row
 * and at different ones. A client that has got such an id in an earlier answer may use that one.
 *
 * ```ts
 * cancel: http.post("/orders/:id/cancel", { id: rowOf("orders.id") }),
 * ```
 *
 * @throws HarnessError `USAGE` for a name without a column
 */
export function rowOf(column: ColumnName): Arbitrary<RowReference> {
  if (!/^[^.]+(\.[^.]+){1,2}$/.test(column)) {
    throw new HarnessError(
      "USAGE",
      `rowOf("${column}") names no column of a table: write the table and the column, such as rowOf("orders.id")`,
    );
  }
  return fc
    .tuple(fc.constantFrom(...ROWS), fc.constantFrom(...OWN))
    .map(([row, own]) => ({ of: column, row, ...(own && { own }) }));
}

/** Whether a value is a reference to a row. */
export function isReference(value: Json): value is RowReference {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { of, row } = value as JsonObject;
  return typeof of === "string" && of.includes(".") && typeof row === "number";
}

/** The references in a value, in their order. */
export function referencesIn(value: Json): readonly RowReference[] {
  const found: RowReference[] = [];
  withReferences(value, (reference) => {
    found.push(reference);
    return reference;
  });
  return found;
}

/** The value with what `change` makes of each reference. */
export function withReferences<T extends Json>(
  value: T,
  change: (reference: RowReference) => Json,
): T {
  const walk = (item: Json): Json => {
    if (isReference(item)) return change(item);
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== "object" || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, member]) => [name, walk(member)]));
  };
  return walk(value) as T;
}

/** The values of each column, in the order of `RowReference.row`. */
export type ReferencedRows = ReadonlyMap<string, readonly Json[]>;

/**
 * The value with columns' values in place of references; undefined if there is no row for one of them.
 *
 * @param ownOf the last id that the client got for a column
 */
export function resolved<T extends Json>(
  value: T,
  rows: ReferencedRows,
  ownOf: (column: ColumnName) => Json | undefined,
): T | undefined {
  let missing = false;
  const found = withReferences(value, ({ of, row, own }) => {
    const values = rows.get(of) ?? [];
    const chosen = (own && ownOf(of)) ?? values[row % values.length];
    missing ||= chosen === undefined;
    return chosen ?? null;
  });
  return missing ? undefined : found;
}
