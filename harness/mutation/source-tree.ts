import {
  asStatement,
  parsePlpgsql,
  type RoutineDefinition,
  STATEMENT_PREFIX,
} from "../parser/plpgsql.ts";
import { parseSql } from "../parser/sql.ts";

/** A routine's definition, and the language of its source. */
export interface Source extends RoutineDefinition {
  readonly language: "plpgsql" | "sql";
}

/** A node of a parse tree, as JSON. */
export type SourceTree =
  | { readonly [key: string]: SourceTree }
  | readonly SourceTree[]
  | string
  | number
  | boolean
  | null;

/** Positions in the text, and the numbers by which PL/pgSQL refers to variables. */
const INCIDENTAL = new Set([
  ...["location", "stmt_location", "stmt_len", "list_start", "list_end"],
  ...["rexpr_list_start", "rexpr_list_end", "datums", "varno", "dno", "retvarno", "recparentno"],
  "t_varno",
]);

/**
 * The normalized tree of a source: sources with equal trees differ in their layout alone. Expressions
 * inside PL/pgSQL are parsed as well. The parser must be loaded.
 *
 * @throws the error of the parser for a source that it rejects
 */
export function sourceTree(source: Source): SourceTree {
  const tree = source.language === "sql" ? parseSql(source.source) : parsePlpgsql(source);
  return normalizedTree(tree as SourceTree) ?? null;
}

/** The tree without incidental fields and empty lists. */
export function normalizedTree(node: SourceTree): SourceTree | undefined {
  if (isList(node)) {
    const items = node.flatMap((item) => normalizedTree(item) ?? []);
    return items.length === 0 ? undefined : items;
  }
  if (!isNode(node)) return node;
  const [key = "", value] = Object.entries(node)[0] ?? [];
  if (key === "PLpgSQL_expr" && isNode(value)) return { expression: expression(value) };
  if (key.startsWith(STATEMENT_PREFIX) && isNode(value) && !("lineno" in value))
    return withoutImplicit(value);
  const entries = Object.entries(node).flatMap(([key, value]) => {
    const normalized = INCIDENTAL.has(key) ? undefined : normalizedTree(value);
    return normalized === undefined ? [] : [[key, normalized] as const];
  });
  return Object.fromEntries(entries);
}

/** A statement without a line is implicit: PL/pgSQL adds an outer block and a final RETURN. */
function withoutImplicit(statement: {
  readonly [key: string]: SourceTree;
}): SourceTree | undefined {
  const body = statement["body"];
  return body !== undefined && isList(body) && body[0] !== undefined
    ? normalizedTree(body[0])
    : undefined;
}

/** Replaces `x` in the conditions of `CASE x WHEN 1 THEN`. */
export const CASE_VARIABLE = "__Case__Variable__";

function expression({ query, parseMode }: { readonly [key: string]: SourceTree }): SourceTree {
  // PL/pgSQL numbers the variables that it adds for `CASE x`.
  const text = String(query).replace(/__Case__Variable_\d+__/g, CASE_VARIABLE);
  const parsed = parsedExpression(text, Number(parseMode ?? 0));
  return { parseMode: parseMode ?? 0, query: parsed ?? text };
}

/** Parsed expressions: most are the same in each mutant of a routine. */
const parsedExpressions = new Map<string, SourceTree | undefined>();
const MOST_EXPRESSIONS = 5_000;

function parsedExpression(query: string, mode: number): SourceTree | undefined {
  const key = `${mode} ${query}`;
  if (parsedExpressions.has(key)) return parsedExpressions.get(key);
  if (parsedExpressions.size >= MOST_EXPRESSIONS) parsedExpressions.clear();
  const parsed = parsedOrNothing(asStatement({ query, parseMode: mode }));
  parsedExpressions.set(key, parsed);
  return parsed;
}

function parsedOrNothing(sql: string): SourceTree | undefined {
  try {
    return normalizedTree(parseSql(sql) as SourceTree);
  } catch {
    return undefined;
  }
}

export function isNode(
  tree: SourceTree | undefined,
): tree is { readonly [key: string]: SourceTree } {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}

export function isList(tree: SourceTree | undefined): tree is readonly SourceTree[] {
  return Array.isArray(tree);
}
