import type { ClientBase } from "pg";
import { memoize } from "../parser/memoize.ts";
import { namesOf } from "../parser/names.ts";
import { isParseNode, parseStatements, statementType } from "../parser/sql.ts";
import { hasOneRow, readUniqueColumns, type UniqueColumns } from "./one-row.ts";

/** What decides whether a query locks one row after the other. */
export interface RowLocks {
  /** Functions that may lock, or change something shared, when they are called for a row. */
  readonly functions: ReadonlySet<string>;
  readonly unique: UniqueColumns;
}

/** Volatile functions without gates of their own. */
const FUNCTIONS = `
select distinct proname as name from pg_proc
 where provolatile = 'v' and pronamespace <> 'heddle'::regnamespace and proname <> all ($1::name[])
   and prosrc !~ 'heddle\\.gate\\('`;

/** Decides which texts are queries that lock one row after the other. The parser must be loaded. */
export async function rowQueries(
  client: ClientBase,
  harmless: readonly string[],
): Promise<(sql: string) => boolean> {
  const { rows } = await client.query<{ name: string }>(FUNCTIONS, [harmless]);
  const functions = new Set(rows.map(({ name }) => name));
  const locks = { functions, unique: await readUniqueColumns(client) };
  const remembered = memoize((sql: string) => ({ held: locksByRow(sql, locks) }));
  return (sql) => remembered(sql).held;
}

/**
 * Whether a text is a single SELECT that can lock several rows, or call such a function for several. The
 * executor makes each row, and locks it, when the next one is asked for (ExecLockRows in
 * src/backend/executor/nodeLockRows.c); below an aggregate or a sort all are made for the first.
 */
export function locksByRow(sql: string, { functions, unique }: RowLocks): boolean {
  const [statement, ...others] = parseStatements(sql) ?? [];
  if (statement === undefined || others.length > 0) return false;
  const select = statement["SelectStmt"];
  if (statementType(statement) !== "SelectStmt" || !isParseNode(select)) return false;
  if (select["fromClause"] === undefined || hasOneRow(select, unique)) return false;
  // SELECT INTO, and a WITH query that writes, run to their end at once.
  const { unknown, writes } = namesOf(select);
  if (unknown || writes.length > 0) return false;
  if (select["lockingClause"] !== undefined) return true;
  const { calls, attributes } = namesOf([select["targetList"], select["whereClause"]]);
  const names = calls.flatMap(({ name, operator }) => (operator ? [] : [name]));
  return [...names, ...attributes].some((name) => functions.has(name));
}
