import type { ClientBase } from "pg";
import { isParseNode, type ParseNode } from "../parser/sql.ts";

/** The columns of each unique index of a table, by the table's name without its schema. */
export type UniqueColumns = ReadonlyMap<string, readonly (readonly string[])[]>;

/** An index of a table with heirs says nothing about the rows of the heirs. */
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

/** Whether a SELECT has at most one row: by its limit, or by the columns of a unique index. */
export function hasOneRow(select: ParseNode, unique: UniqueColumns): boolean {
  const { limitCount, limitOffset, fromClause, whereClause } = select;
  if (isOne(limitCount) && limitOffset === undefined) return true;
  const [from, ...joined] = fromClause as readonly ParseNode[];
  const table = from?.["RangeVar"];
  if (joined.length > 0 || !isParseNode(table)) return false;
  const fixed = new Set(fixedColumns(whereClause));
  const indexes = unique.get(String(table["relname"])) ?? [];
  return indexes.some((columns) => columns.every((column) => fixed.has(column)));
}

function isOne(limit: unknown): boolean {
  const { A_Const: constant } = isParseNode(limit) ? limit : {};
  return isParseNode(constant) && JSON.stringify(constant["ival"]) === '{"ival":1}';
}

/** The columns that a condition compares with a constant or a parameter. */
function fixedColumns(condition: unknown): readonly string[] {
  if (!isParseNode(condition)) return [];
  const { BoolExpr: all, A_Expr: comparison } = condition;
  if (isParseNode(all) && all["boolop"] === "AND_EXPR") {
    return (all["args"] as readonly unknown[]).flatMap(fixedColumns);
  }
  if (!isParseNode(comparison) || comparison["kind"] !== "AEXPR_OP") return [];
  if (JSON.stringify(comparison["name"]) !== EQUALS) return [];
  const sides = [comparison["lexpr"], comparison["rexpr"]];
  const columns = sides.flatMap((side) => columnOf(side) ?? []);
  return columns.length === 1 && sides.some(isFixed) ? columns : [];
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
