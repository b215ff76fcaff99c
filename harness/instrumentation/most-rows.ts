import type { ClientBase } from "pg";
import { isParseNode, type ParseNode } from "../parser/sql.ts";

/**
 * The columns of each unique index that all relations of a name have, by that name. It has no schema: it
 * stands for every table and view called so.
 */
export type UniqueColumns = ReadonlyMap<string, readonly (readonly string[])[]>;

/**
 * The columns of each unique index of each table and view. An index of a table with child tables says
 * nothing about their rows, and a deferrable one nothing within a transaction.
 */
const UNIQUE = `
select relname as name,
       array(select array_to_json(array(
               select attname::text from unnest(indkey::int2[]) with ordinality as k(number, at)
                 join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                where at <= indnkeyatts order by 1))::text
               from pg_index
              where indrelid = c.oid and indisunique and indimmediate and indpred is null
                and indexprs is null
                and (relkind = 'p' or not exists (select from pg_inherits where inhparent = c.oid))
            ) as indexes
  from pg_class c join pg_namespace n on n.oid = relnamespace
 where relkind in ('r', 'p', 'v', 'm', 'f') and nspname !~ '^(pg_.*|information_schema|heddle)$'`;

/** Reads the unique indexes of the schema under test. */
export async function readUniqueColumns(client: ClientBase): Promise<UniqueColumns> {
  const { rows } = await client.query<{ name: string; indexes: string[] }>(UNIQUE);
  const common = new Map<string, string[]>();
  for (const { name, indexes } of rows) {
    const others = common.get(name) ?? indexes;
    common.set(
      name,
      indexes.filter((columns) => others.includes(columns)),
    );
  }
  return new Map(
    [...common].map(([name, indexes]) => [
      name,
      indexes.map((columns) => JSON.parse(columns) as string[]),
    ]),
  );
}

/**
 * The most rows that a SELECT can have: by its limit, or by the columns of a unique index that it compares
 * with constants and parameters. Infinity if neither says so.
 */
export function mostRows(select: ParseNode, unique: UniqueColumns): number {
  const { limitCount, limitOffset, limitOption, fromClause, whereClause, withClause } = select;
  const isLimited = limitOffset === undefined && limitOption !== "LIMIT_OPTION_WITH_TIES";
  const limit = isLimited ? numberIn(limitCount) : Infinity;
  const [from, ...joined] = (fromClause ?? []) as readonly ParseNode[];
  const table = from?.["RangeVar"];
  // A WITH query may have the name of a table.
  if (joined.length > 0 || !isParseNode(table) || withClause !== undefined) return limit;
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
