import type { ClientBase } from "pg";
import { isParseNode, type ParseNode } from "../parser/sql.ts";

/** The columns of each unique index of a table, by the table's name without its schema. */
export type UniqueColumns = ReadonlyMap<string, readonly (readonly string[])[]>;

/** An index of a table with child tables says nothing about their rows. */
const UNIQUE = `
select relname as table,
       array(select attname::text from unnest(indkey::int2[]) with ordinality as k(number, at)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
             where at <= indnkeyatts) as columns
  from pg_index i join pg_class c on c.oid = indrelid join pg_namespace n on n.oid = relnamespace
 where indisunique and indpred is null and indexprs is null
   and nspname !~ '^(pg_.*|information_schema|heddle)$'
   and (relkind = 'p' or not exists (select from pg_inherits where inhparent = c.oid))`;

/** Reads the unique indexes of the schema under test. */
export async function readUniqueColumns(client: ClientBase): Promise<UniqueColumns> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(UNIQUE);
  const unique = new Map<string, string[][]>();
  for (const { table, columns } of rows) {
    unique.set(table, [...(unique.get(table) ?? []), columns]);
  }
  return unique;
}

/**
 * The most rows that a SELECT can have: by its limit, or by the columns of a unique index that it compares
 * with constants and parameters. Infinity if neither says so.
 */
export function mostRows(select: ParseNode, unique: UniqueColumns): number {
  const { limitCount, limitOffset, fromClause, whereClause } = select;
  const limit = limitOffset === undefined ? numberIn(limitCount) : Infinity;
  const [from, ...joined] = (fromClause ?? []) as readonly ParseNode[];
  const table = from?.["RangeVar"];
  if (joined.length > 0 || !isParseNode(table)) return limit;
  const values = new Map<string, number>();
  for (const [column, count] of comparisonsIn(whereClause)) {
    values.set(column, Math.min(count, values.get(column) ?? Infinity));
  }
  const byIndex = (unique.get(String(table["relname"])) ?? []).map((columns) =>
    columns.reduce((rows, column) => rows * (values.get(column) ?? Infinity), 1),
  );
  return Math.min(limit, ...byIndex);
}

function numberIn(limit: unknown): number {
  const { A_Const: constant } = isParseNode(limit) ? limit : {};
  const value = isParseNode(constant) ? constant["ival"] : undefined;
  return isParseNode(value) ? Number(value["ival"] ?? 0) : Infinity;
}

/** The columns that a condition compares with constants or parameters, each with their number. */
function comparisonsIn(condition: unknown): readonly (readonly [column: string, count: number])[] {
  if (!isParseNode(condition)) return [];
  const { BoolExpr: all, A_Expr: comparison } = condition;
  if (isParseNode(all) && all["boolop"] === "AND_EXPR") {
    return (all["args"] as readonly unknown[]).flatMap(comparisonsIn);
  }
  if (!isParseNode(comparison) || JSON.stringify(comparison["name"]) !== EQUALS) return [];
  const { kind, lexpr, rexpr } = comparison;
  if (kind === "AEXPR_IN") {
    const items = listIn(rexpr);
    const column = columnOf(lexpr);
    return column !== undefined && items.every(isFixed) ? [[column, items.length]] : [];
  }
  if (kind !== "AEXPR_OP") return [];
  const columns = [lexpr, rexpr].flatMap((side) => columnOf(side) ?? []);
  return columns.length === 1 && [lexpr, rexpr].some(isFixed)
    ? columns.map((column) => [column, 1] as const)
    : [];
}

function listIn(value: unknown): readonly unknown[] {
  const list = isParseNode(value) ? value["List"] : undefined;
  return isParseNode(list) && Array.isArray(list["items"]) ? list["items"] : [];
}

const EQUALS = JSON.stringify([{ String: { sval: "=" } }]);

function columnOf(side: unknown): string | undefined {
  const column = isParseNode(side) ? side["ColumnRef"] : undefined;
  if (!isParseNode(column) || !Array.isArray(column["fields"])) return undefined;
  const last = column["fields"].at(-1) as { String?: { sval?: string } };
  return last.String?.sval;
}

function isFixed(side: unknown): boolean {
  if (!isParseNode(side)) return false;
  const cast = side["TypeCast"];
  if (isParseNode(cast)) return isFixed(cast["arg"]);
  return side["A_Const"] !== undefined || side["ParamRef"] !== undefined;
}
