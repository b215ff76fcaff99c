import type { ClientBase } from "pg";
import { memoize } from "../parser/memoize.ts";
import { namesOf } from "../parser/names.ts";
import { isParseNode, parseStatements, statementType } from "../parser/sql.ts";
import { mostRows, readUniqueColumns, type UniqueColumns } from "./most-rows.ts";

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

/**
 * Finds the most rows that a query locks one after the other: 0 if it locks none, or all in one step. The
 * parser must be loaded.
 */
export async function rowQueries(
  client: ClientBase,
  harmless: readonly string[],
): Promise<(sql: string) => number> {
  const { rows } = await client.query<{ name: string }>(FUNCTIONS, [harmless]);
  const functions = new Set(rows.map(({ name }) => name));
  const locks = { functions, unique: await readUniqueColumns(client) };
  const remembered = memoize((sql: string) => ({ most: rowsLocked(sql, locks) }));
  return (sql) => remembered(sql).most;
}

/**
 * The most rows that a text locks, or calls such a function for, if it is a single SELECT. The executor
 * makes each row, and locks it, when the next one is asked for (ExecLockRows in
 * src/backend/executor/nodeLockRows.c); below an aggregate or a sort all are made for the first.
 */
export function rowsLocked(sql: string, { functions, unique }: RowLocks): number {
  const [statement, ...others] = parseStatements(sql) ?? [];
  if (statement === undefined || others.length > 0) return 0;
  const select = statement["SelectStmt"];
  if (statementType(statement) !== "SelectStmt" || !isParseNode(select)) return 0;
  if (select["fromClause"] === undefined) return 0;
  // SELECT INTO, and a WITH query that writes, run to their end at once.
  const { unknown, writes } = namesOf(select);
  if (unknown || writes.length > 0) return 0;
  const { calls, attributes } = namesOf([select["targetList"], select["whereClause"]]);
  const names = calls.flatMap(({ name, operator }) => (operator ? [] : [name]));
  const locks =
    select["lockingClause"] !== undefined ||
    [...names, ...attributes].some((name) => functions.has(name));
  return locks ? mostRows(select, unique) : 0;
}
