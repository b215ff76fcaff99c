import { parsePlPgSQLSync } from "libpg-query";
import { memoize } from "./memoize.ts";
import { isParseNode, type ParseNode, tokensOf } from "./sql.ts";

/** A routine's definition as `pg_get_functiondef` gives it, in three parts. */
export interface RoutineDefinition {
  /** CREATE OR REPLACE …, up to the source and including its opening quote. */
  readonly head: string;
  /** The routine's body (`prosrc`). */
  readonly source: string;
  /** The closing quote and what follows it. */
  readonly tail: string;
}

/**
 * Splits what `pg_get_functiondef` gives for a routine whose `prosrc` is `source`. Throws an error
 * that names the routine if the definition does not end with its source.
 */
export function definitionOf(
  routine: string,
  definition: string,
  source: string,
): RoutineDefinition {
  const tail = /\$\w*\$\s*$/.exec(definition)?.[0] ?? "";
  const head = definition.slice(0, definition.length - tail.length - source.length);
  if (tail !== "" && head + source + tail === definition) return { head, source, tail };
  throw new Error(`the definition of ${routine} does not end with its source`);
}

/**
 * The tree that PL/pgSQL's own parser makes of a routine. It is shared by all callers and must not
 * be changed. Throws the parser's error if the routine has a syntax
 * error.
 */
export function parsePlpgsql({ head, source, tail }: RoutineDefinition): ParseNode {
  return parseText(head + withoutRowtype(source) + tail);
}

const parseText = memoize((text: string) => parsePlPgSQLSync(text) as ParseNode);

/**
 * Blanks out `%ROWTYPE`. libpg-query knows no types: it takes a variable of type `t%rowtype` for a
 * scalar, and one of type `t` for a row.
 */
function withoutRowtype(source: string): string {
  const tokens = tokensOf(source);
  let plain = source;
  for (const [index, { text, start }] of tokens.entries()) {
    const next = tokens[index + 1];
    if (text !== "%" || next?.text !== "rowtype") continue;
    plain = plain.slice(0, start) + " ".repeat(next.end - start) + plain.slice(next.end);
  }
  return plain;
}

/** What the key of every statement begins with in the tree, as in `PLpgSQL_stmt_if`. */
export const STATEMENT_PREFIX = "PLpgSQL_stmt_";

/** The tree of the function itself, whose field `datums` holds the variables. */
export function functionIn(tree: ParseNode): ParseNode {
  const [first] =
    (tree as { plpgsql_funcs?: { PLpgSQL_function?: ParseNode }[] }).plpgsql_funcs ?? [];
  return first?.PLpgSQL_function ?? {};
}

/** An SQL expression or statement as PL/pgSQL stores it. */
export interface PlpgsqlExpression {
  readonly query: string;
  /** How PL/pgSQL parses the query (`RawParseMode` in PostgreSQL's src/include/parser/parser.h). */
  readonly parseMode?: number;
}

/** The expressions of a statement, without those of the statements inside it. */
export function expressionsIn(tree: unknown): readonly PlpgsqlExpression[] {
  if (Array.isArray(tree)) return tree.flatMap(expressionsIn);
  if (!isParseNode(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => {
    if (key.startsWith(STATEMENT_PREFIX) || key === "var" || key === "target") return [];
    return key === "PLpgSQL_expr" ? [value as PlpgsqlExpression] : expressionsIn(value);
  });
}

/** RAW_PARSE_PLPGSQL_EXPR. */
const EXPRESSION = 2;
/** RAW_PARSE_PLPGSQL_ASSIGN1 to RAW_PARSE_PLPGSQL_ASSIGN3: the target has one to three names. */
const ASSIGNMENTS: ReadonlySet<number> = new Set([3, 4, 5]);

/** An SQL statement that contains what the expression contains. */
export function asStatement({ query, parseMode = 0 }: PlpgsqlExpression): string {
  if (parseMode === EXPRESSION) return `SELECT ${query}`;
  return ASSIGNMENTS.has(parseMode) ? `SELECT ${asColumns(query)}` : query;
}

/** `target := value` as two columns, so that the parser reads the subscripts of the target too. */
function asColumns(assignment: string): string {
  const sign = /:=|=/.exec(withoutSubscripts(assignment));
  if (sign === null) return assignment;
  const after = sign.index + sign[0].length;
  return `${assignment.slice(0, sign.index)}, ${assignment.slice(after)}`;
}

/** The text with its subscripts masked, since these may contain `=` too. */
function withoutSubscripts(text: string): string {
  let depth = 0;
  return text.replace(/./gsu, (character) => {
    if (character === "[") depth++;
    if (character === "]") depth--;
    return depth > 0 ? "_".repeat(character.length) : character;
  });
}
