import { isNothing, type Touched } from "../core/footprint.ts";
import { namesIn } from "../parser/names.ts";
import { isParseNode, parseStatements } from "../parser/sql.ts";
import type { Catalog } from "./catalog.ts";
import type { FootprintBuilder } from "./footprint-builder.ts";

/** The last gate of a statement up to which no other session can notice it; undefined: it has none. */
export type UnnoticedStart = "row" | "snapshot" | undefined;

/**
 * How far a statement gets, at READ COMMITTED, before it matters when: what others do while it stands at
 * these gates, they can as well do before it begins.
 *
 * That holds for the INSERT of one row of VALUES that reads nothing and calls nothing of the application's.
 * Until it writes the row it has taken a snapshot with which it reads nothing, and a ROW EXCLUSIVE lock
 * of its table, which it keeps until its transaction ends. Sessions that need a conflicting lock wait for
 * the end of the transaction in either case, and a lock that they refuse to wait for is refused after the
 * write as well. The default of a column may take a value from a sequence, which others notice: then only the
 * gate after the snapshot is without a choice. A clock would show when the statement began.
 *
 * It does not hold for ON CONFLICT, nor for a table with an exclusion constraint, in front of which clients
 * have to meet (see `UngatedPart`).
 */
export function unnoticedStart(
  sql: string,
  full: FootprintBuilder,
  ambient: FootprintBuilder,
  catalog: Catalog,
): UnnoticedStart {
  if (full.unknown || full.readsElse || full.reads.size > 0 || full.calls.size > 0)
    return undefined;
  if (ambient.unknown || ambient.readsElse || !isNothing(ambient as Touched)) return undefined;
  if (!insertsOneRow(sql)) return undefined;
  const [relation, ...others] = namesIn(sql).writes.flatMap(({ table }) =>
    catalog.relationsNamed(table),
  );
  if (relation === undefined || others.length > 0) return undefined;
  if (catalog.hierarchyOf(relation).some(({ excludes }) => excludes)) return undefined;
  const values = [...full.writes].filter((object) => object !== relation.object);
  return values.length === 0 ? "row" : values.length === 1 ? "snapshot" : undefined;
}

/** Whether a text is a single INSERT of one row of VALUES, without WITH and ON CONFLICT. */
function insertsOneRow(sql: string): boolean {
  const [statement, ...others] = parseStatements(sql) ?? [];
  const insert = statement?.["InsertStmt"];
  if (others.length > 0 || !isParseNode(insert)) return false;
  if (insert["onConflictClause"] !== undefined || insert["withClause"] !== undefined) return false;
  const source = insert["selectStmt"];
  const select = isParseNode(source) ? source["SelectStmt"] : undefined;
  const rows = isParseNode(select) ? select["valuesLists"] : undefined;
  return Array.isArray(rows) && rows.length === 1;
}
