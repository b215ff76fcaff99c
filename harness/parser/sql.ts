import { loadModule, parseSync, scanSync } from "libpg-query";
import { memoize } from "./memoize.ts";

/**
 * A node of a parse tree that libpg-query (PostgreSQL's own parser) returns as JSON: either the
 * fields of a node, or one key that names the node's type, such as `{ SelectStmt: { … } }`.
 */
export interface ParseNode {
  readonly [key: string]: unknown;
}

export function isParseNode(value: unknown): value is ParseNode {
  return typeof value === "object" && value !== null;
}

/** Loads libpg-query, which all other functions of this folder need. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

/** The tree of an SQL text. Throws the parser's error if the text has a syntax error. */
export function parseSql(sql: string): ParseNode {
  return parseSync(sql) as ParseNode;
}

/**
 * The statements of an SQL text, each as `{ [type]: fields }`; undefined if the text has a syntax
 * error.
 */
export function parseStatements(sql: string): readonly ParseNode[] | undefined {
  try {
    const { stmts = [] } = parseSql(sql) as { stmts?: { stmt?: ParseNode }[] };
    return stmts.map(({ stmt }) => stmt ?? {});
  } catch {
    return undefined;
  }
}

/** A statement in a text, from its first token to its end. Offsets are those of the string. */
interface StatementRange {
  readonly statement: ParseNode;
  readonly start: number;
  readonly end: number;
}

/** The statements of an SQL text and where they are; undefined if the text has a syntax error. */
export function statementRanges(sql: string): readonly StatementRange[] | undefined {
  let parsed: { stmts?: { stmt?: ParseNode; stmt_location?: number; stmt_len?: number }[] };
  try {
    parsed = parseSync(sql) as typeof parsed;
  } catch {
    return undefined;
  }
  const offsetOf = stringOffsets(sql);
  const tokens = tokensOf(sql);
  return (parsed.stmts ?? []).map(({ stmt = {}, stmt_location = 0, stmt_len = 0 }) => {
    const from = offsetOf(stmt_location);
    const end = stmt_len === 0 ? sql.length : offsetOf(stmt_location + stmt_len);
    return {
      statement: stmt,
      start: tokens.find((token) => token.start >= from)?.start ?? from,
      end,
    };
  });
}

/** The node type of a statement, such as `SelectStmt`. */
export function statementType(statement: ParseNode): string {
  return Object.keys(statement)[0] ?? "";
}

/** A token of SQL or PL/pgSQL. Offsets count UTF-16 code units, as JavaScript strings do. */
export interface Token {
  /** A word without quotes is in lower case; every other token is as in the source. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The tokens of a source without its comments, from PostgreSQL's own scanner, which PL/pgSQL uses
 * too. Throws the scanner's error if the source cannot be scanned.
 */
export const tokensOf = memoize((source: string): readonly Token[] => {
  const offsetOf = stringOffsets(source);
  return scanned(source)
    .filter(({ tokenName }) => tokenName !== "SQL_COMMENT" && tokenName !== "C_COMMENT")
    .map((token) => {
      const [start, end] = [offsetOf(token.start), offsetOf(token.end)];
      const text = source.slice(start, end);
      return { text: /^\w+$/.test(text) ? text.toLowerCase() : text, start, end };
    });
});

/** The scanner takes no empty source. Drivers send one to see whether a connection lives. */
function scanned(source: string) {
  return source === "" ? [] : scanSync(source).tokens;
}

/** Converts the scanner's offsets, in bytes of UTF-8, to offsets in the string. */
function stringOffsets(source: string): (byte: number) => number {
  if (Buffer.byteLength(source) === source.length) return (byte) => byte;
  const offsets: number[] = [];
  let end = 0;
  for (const character of source) {
    const bytes = Buffer.byteLength(character);
    for (let i = 0; i < bytes; i++) offsets.push(end);
    end += character.length;
  }
  offsets.push(end);
  return (byte) => offsets[byte] ?? end;
}

/**
 * Replaces the tokens of a source, comments included, and keeps all that is between them.
 *
 * @param replace maps a token, with the name that PostgreSQL's scanner gives it, to its replacement
 */
export function replaceTokens(
  source: string,
  replace: (token: { readonly name: string; readonly text: string }) => string,
): string {
  const bytes = Buffer.from(source);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, tokenName } of scanned(source)) {
    parts.push(bytes.toString("utf8", at, start));
    parts.push(replace({ name: tokenName, text: bytes.toString("utf8", start, end) }));
    at = end;
  }
  return parts.join("") + bytes.toString("utf8", at);
}
