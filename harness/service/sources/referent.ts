import type { ColumnName } from "../row-reference.ts";
import { type CatalogTable, columnName, type SchemaCatalog } from "./catalog.ts";

/** A value that an operation is sent with, as far as its source describes it. */
export interface NamedValue {
  /** `item_id`, `itemId`, `p_item_id`, `item`. */
  readonly name: string;
  /** Its type; `any`, where it is a text whatever its type is, as in a path. */
  readonly kind: "integer" | "uuid" | "text" | "any";
  /** The part of a path before it: `orders` of `/orders/{id}`. */
  readonly after?: string | undefined;
  /** Such as `The id of the customer`. */
  readonly description?: string | undefined;
}

/**
 * The column whose rows a value refers to, by its name: that of a table and its key (`item_id`, and `item` where
 * the types agree), that of a column with a foreign key, or `id` after the name of a table in a path. Else by
 * its description, if that says whose id it is. Undefined if it refers to none.
 */
export function referentOf(value: NamedValue, catalog: SchemaCatalog): ColumnName | undefined {
  const name = withoutMark(snakeCase(value.name));
  const names =
    value.after === undefined ? [name] : [`${singular(snakeCase(value.after))}_${name}`, name];
  for (const one of names) {
    const found =
      keyNamed(one, value, catalog) ??
      foreignKeyNamed(one, value, catalog) ??
      (one.endsWith("_id") ? undefined : keyNamed(`${one}_id`, value, catalog));
    if (found !== undefined) return found;
  }
  const [, described] = OF_A_TABLE.exec(value.description ?? "") ?? [];
  return described === undefined
    ? undefined
    : keyNamed(`${snakeCase(described)}_id`, value, catalog);
}

const OF_A_TABLE = /\b(?:id|identifier|key) of (?:(?:the|an?|this) )?(\w+)/i;

/**
 * The key `column` of a table `table`, for the name `table_column` or `from_table_column`; for `table_id` also a
 * key of another name.
 */
function keyNamed(
  name: string,
  { kind }: NamedValue,
  { tables }: SchemaCatalog,
): ColumnName | undefined {
  for (const table of tables) {
    const prefix = `_${singular(snakeCase(table.name))}_`;
    const at = `_${name}`.lastIndexOf(prefix);
    if (at < 0) continue;
    const rest = `_${name}`.slice(at + prefix.length);
    const column =
      table.columns.find((one) => one.key && snakeCase(one.name) === rest) ??
      table.columns.find((one) => one.primary && snakeCase(one.name) === name) ??
      (rest === "id" ? onlyKey(table) : undefined);
    if (column !== undefined && fits(column.type, kind)) return columnName(table, column);
  }
  return undefined;
}

function onlyKey({ columns }: CatalogTable) {
  return columns.find(({ primary }) => primary);
}

function foreignKeyNamed(
  name: string,
  { kind }: NamedValue,
  { tables }: SchemaCatalog,
): ColumnName | undefined {
  const columns = tables.flatMap((table) => table.columns);
  const found = columns.find(
    (one) => one.refers !== null && snakeCase(one.name) === name && fits(one.type, kind),
  );
  return found?.refers ?? undefined;
}

/** Whether a value of a kind can be one of a column: JSON often has a UUID as a text without a format. */
function fits(type: string, kind: NamedValue["kind"]): boolean {
  if (kind === "any") return true;
  if (/^(smallint|integer|bigint|numeric)$/.test(type)) return kind === "integer";
  if (type === "uuid") return kind !== "integer";
  return /^(text|character varying|character|citext)$/.test(type) && kind === "text";
}

/** Parameters of functions often have a mark, so that no column hides them. */
function withoutMark(name: string): string {
  return name.replace(/^(?:p|in|arg|v|the|my)?_+(?=\w)/, "");
}

/** `itemId`, `item-id` and `ItemID` are `item_id`. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .replaceAll(/[^\w]+/g, "_")
    .toLowerCase();
}

/** English, as far as the names of tables need it: `orders`, `categories`, `boxes`, `addresses`. */
export function singular(name: string): string {
  if (/ies$/.test(name)) return name.replace(/ies$/, "y");
  if (/(?:s|x|z|ch|sh)es$/.test(name)) return name.replace(/es$/, "");
  return /[^su]s$/.test(name) ? name.slice(0, -1) : name;
}
