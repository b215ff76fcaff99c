import { memoize } from "../parser/memoize.ts";
import { isParseNode, parseStatements, statementRanges, tokensOf } from "../parser/sql.ts";

/**
 * The statements that lock the tables of a LOCK TABLE one after the other, without the last: its text with
 * all other tables blank. Empty for every other text. The parser must be loaded.
 */
export const firstTableLocks = memoize((sql: string): readonly string[] => {
  const [range, ...others] = statementRanges(sql) ?? [];
  const lock = range?.statement["LockStmt"];
  if (range === undefined || !isParseNode(lock) || others.length > 0) return [];
  const tokens = tokensOf(sql).filter(({ start, end }) => start >= range.start && end <= range.end);
  const texts = tokens.map(({ text }) => text);
  const mode = texts.indexOf("in");
  const end = mode >= 0 ? mode : lock["nowait"] === true ? tokens.length - 1 : tokens.length;
  const from = texts[1] === "table" ? 2 : 1;
  const separators = texts.flatMap((text, index) => (text === "," ? [index] : []));
  const blank = (begin: number, until: number) => sql.slice(begin, until).replace(/\S/gu, " ");
  const offset = (index: number) => tokens[index]?.start ?? range.end;
  return separators.flatMap((separator, index) => {
    const start = offset(index === 0 ? from : (separators[index - 1] ?? 0) + 1);
    const stop = offset(separator);
    const text =
      sql.slice(0, offset(from)) +
      blank(offset(from), start) +
      sql.slice(start, stop) +
      blank(stop, offset(end)) +
      sql.slice(offset(end));
    return parseStatements(text) === undefined ? [] : [text];
  });
});

const MARK = "/* heddle */";

/** The text that takes one of the first locks in a routine, in one line. A gate follows it. */
export function tableLock(statement: string): string {
  const [lock = "", ...others] = tokensOf(statement).map(({ text }) => text);
  return `${[lock, MARK, ...others].join(" ")}; `;
}

/** Matches such texts in the source of a routine. */
export const TABLE_LOCK = String.raw`lock /\* heddle \*/(?:"[^"]*"|[^;"])*; `;

/** Whether a statement in the tree of a routine is such a text. */
export const isTableLock = (query: string): boolean => query.startsWith(`lock ${MARK}`);
