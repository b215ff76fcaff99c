import { namesIn } from "../parser/names.ts";
import { loadParser, statementRanges } from "../parser/sql.ts";
import { gateQuery } from "./gate-function.ts";
import { type SharedState, sharedAccessOf } from "./gate-positions.ts";
import type { InstrumentedSource } from "./instrument-routine.ts";

/**
 * Inserts a gate before each statement of a VOLATILE function in SQL that accesses shared state: each of
 * these takes a snapshot of its own (fmgr_sql in src/backend/executor/functions.c). A gate is a SELECT
 * whose result is not used, since the last statement alone gives the function's result.
 *
 * PostgreSQL can make a function that is one SELECT without tables a part of the query that calls it
 * (inline_function in src/backend/optimizer/util/clauses.c). With a gate it could not, and its functions
 * would take another snapshot: it gets none.
 */
export async function instrumentSql(
  source: string,
  first: number,
  shared: SharedState,
): Promise<InstrumentedSource> {
  await loadParser();
  const ranges = statementRanges(source);
  if (ranges === undefined) return { gated: false, reason: "libpg-query cannot read it" };
  const statements = ranges.map(({ start, end }) => ({ start, text: source.slice(start, end) }));
  const accessing = statements.filter(({ text }) => sharedAccessOf(text, shared) !== "none");
  if (statements.length === 1 && accessing.some(({ text }) => isPartOfCaller(text))) {
    const reason = "its only statement can become a part of the query that calls it";
    return { gated: true, source, gates: [], missing: [{ line: 1, reason }] };
  }
  const gates = accessing.map(({ start, text }, index) => ({
    place: first + index,
    line: source.slice(0, start).split("\n").length,
    column: [...source.slice(source.lastIndexOf("\n", start - 1) + 1, start)].length + 1,
    text: text.replace(/\s+/g, " ").trim(),
  }));
  const pieces = accessing.map(
    ({ start }, index) =>
      source.slice(accessing[index - 1]?.start ?? 0, start) + gateQuery(first + index),
  );
  const gated = pieces.join("") + source.slice(accessing.at(-1)?.start ?? 0);
  return { gated: true, source: gated, gates, missing: [] };
}

function isPartOfCaller(statement: string): boolean {
  const { reads, writes } = namesIn(statement);
  return reads.length + writes.length === 0;
}

/** The number of the gate that a statement of a function in SQL is; undefined if it is none. */
export function queryGateIn(statement: string): number | undefined {
  const gate = /^SELECT heddle\.gate\((\d+)\)$/.exec(statement.trim());
  return gate === null ? undefined : Number(gate[1]);
}
