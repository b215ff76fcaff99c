import { parseSync } from "libpg-query";
import {
  asStatement,
  parsePlpgsql,
  type RoutineDefinition,
  STATEMENT_PREFIX,
} from "../parser/plpgsql.ts";

/** A routine's definition, and in which language its source is. */
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

/** Where things stand in the text, and the numbers by which PL/pgSQL knows variables. */
const INCIDENTAL = new Set([
  ...["location", "stmt_location", "stmt_len", "list_start", "list_end"],
  ...["rexpr_list_start", "rexpr_list_end", "datums", "varno", "dno", "retvarno", "recparentno"],
  "t_varno",
]);

/**
 * A source as the parsers of PL/pgSQL and SQL see it, without what is incidental: two sources with
 * equal trees are the same but for layout. Expressions inside of PL/pgSQL are parsed as well.
 * libpg-query has to be loaded. Throws what the parser says of a broken source.
 */
export function sourceTree(source: Source): SourceTree {
  const tree = source.language === "sql" ? parseSync(source.source) : parsePlpgsql(source);
  return normalizedTree(tree as SourceTree) ?? null;
}

/** The tree without what is incidental; of an empty list nothing is left. */
export function normalizedTree(node: SourceTree): SourceTree | undefined {
  if (isList(node)) {
    const items = node.flatMap((item) => normalizedTree(item) ?? []);
    return items.length === 0 ? undefined : items;
  }
  if (!isNode(node)) return node;
  const [key = "", value] = Object.entries(node)[0] ?? [];
  if (key === "PLpgSQL_expr" && isNode(value)) return { expression: expression(value) };
  if (key.startsWith(STATEMENT_PREFIX) && isNode(value) && !("lineno" in value))
    return added(value);
  const entries = Object.entries(node).flatMap(([key, value]) => {
    const kept = INCIDENTAL.has(key) ? undefined : normalizedTree(value);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return Object.fromEntries(entries);
}

/** What PL/pgSQL adds itself has no line: a block around the routine's own, or a last RETURN. */
function added(statement: { readonly [key: string]: SourceTree }): SourceTree | undefined {
  const body = statement["body"];
  return body !== undefined && isList(body) && body[0] !== undefined
    ? normalizedTree(body[0])
    : undefined;
}

/** Stands for `x` in the conditions of `CASE x WHEN 1 THEN`. */
export const CASE_VARIABLE = "__Case__Variable__";

function expression({ query, parseMode }: { readonly [key: string]: SourceTree }): SourceTree {
  // The variable that PL/pgSQL makes for `CASE x` has its number in its name.
  const text = String(query).replace(/__Case__Variable_\d+__/g, CASE_VARIABLE);
  const parsed = parsedExpression(text, Number(parseMode ?? 0));
  return { parseMode: parseMode ?? 0, query: parsed ?? text };
}

/** Most expressions of a routine stay the same from one of its variants to the next. */
const seen = new Map<string, SourceTree | undefined>();
const MOST = 5_000;

function parsedExpression(query: string, mode: number): SourceTree | undefined {
  const key = `${mode} ${query}`;
  if (seen.has(key)) return seen.get(key);
  if (seen.size >= MOST) seen.clear();
  const parsed = parsedOrNothing(asStatement({ query, parseMode: mode }));
  seen.set(key, parsed);
  return parsed;
}

function parsedOrNothing(sql: string): SourceTree | undefined {
  try {
    return normalizedTree(parseSync(sql) as SourceTree);
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
