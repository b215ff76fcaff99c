import type { RoutineDefinition } from "../parser/plpgsql.ts";
import {
  isParseNode,
  type ParseNode,
  statementRanges,
  statementType,
  tokensOf,
} from "../parser/sql.ts";
import type { SharedState } from "./gate-positions.ts";
import { instrumentLoaded } from "./instrument-routine.ts";

/** The place of every gate in a DO block: blocks are not known before they are sent. */
export const BLOCK_PLACE = { of: "a DO block", line: null, next: "its next statement" };

/**
 * The text of a message with gates in its DO blocks, as in routines, or the text itself if it has none.
 * Lines keep their numbers. A block in another language, or whose source is quoted with escapes, or that
 * has no statement to gate, stays as it is. The parser must be loaded.
 *
 * @param place the number of all of these gates
 */
export function gatedBlocks(sql: string, place: number, shared: SharedState): string {
  if (!/\bdo\b/i.test(sql)) return sql;
  let gated = "";
  let from = 0;
  for (const { statement, start, end } of statementRanges(sql) ?? []) {
    const source = sourceOf(sql, statement, start, end);
    if (source === undefined) continue;
    const result = instrumentLoaded(procedureOf(source.text), place, shared);
    if (!result.gated) continue;
    gated += sql.slice(from, source.start) + withPlace(result.source, place);
    from = source.start + source.text.length;
  }
  return gated + sql.slice(from);
}

/** The source of a DO block in PL/pgSQL, and where it is; undefined for any other statement. */
function sourceOf(
  sql: string,
  statement: ParseNode,
  start: number,
  end: number,
): { readonly text: string; readonly start: number } | undefined {
  const options = doOptions(statement);
  if (options === undefined) return undefined;
  const language = options.get("language") ?? "plpgsql";
  const source = options.get("as");
  if (language !== "plpgsql" || source === undefined) return undefined;
  for (const token of tokensOf(sql)) {
    if (token.start < start || token.end > end) continue;
    const quote = /^(\$\w*\$|')/.exec(token.text)?.[0] ?? "";
    if (quote === "" || token.text !== quote + source + quote) continue;
    return { text: source, start: token.start + quote.length };
  }
  return undefined;
}

/** The options of a DO statement by name; undefined for any other statement. */
function doOptions(statement: ParseNode): ReadonlyMap<string, string> | undefined {
  if (statementType(statement) !== "DoStmt") return undefined;
  const { args } = statement["DoStmt"] as { args?: readonly unknown[] };
  return new Map(
    (args ?? []).flatMap((arg): [string, string][] => {
      const element = isParseNode(arg) ? arg["DefElem"] : undefined;
      const { defname, arg: value } = element as {
        defname?: string;
        arg?: { String?: { sval?: string } };
      };
      return defname === undefined ? [] : [[defname, value?.String?.sval ?? ""]];
    }),
  );
}

/** A block may end transactions, as a procedure may. */
function procedureOf(source: string): RoutineDefinition {
  return { head: "create procedure f() language plpgsql as $heddle$", source, tail: "$heddle$" };
}

function withPlace(source: string, place: number): string {
  return source.replace(/\bheddle\.gate\(\d+\)/g, `heddle.gate(${place})`);
}
