import { loadModule, scanSync } from "libpg-query";
import type { Statement } from "../core/trace.ts";

interface Token {
  readonly name: string;
  readonly text: string;
}

/** The scanner, which has to be loaded before the functions below are called. */
export async function loadScanner(): Promise<void> {
  await loadModule();
}

/** A statement with its values in it, as literals of unknown type: as drivers send them. */
export function withValues({ sql, values }: Statement): string {
  return rewritten(sql, ({ name, text }) => {
    if (name !== "PARAM") return text;
    const value = values[Number(text.slice(1)) - 1];
    return value === undefined ? text : literal(value);
  });
}

export function literal(value: string | null): string {
  return value === null ? "null" : `'${value.replaceAll("'", "''")}'`;
}

/**
 * The same SQL without `}`, which a spec's blocks cannot contain: inside strings it is escaped, and
 * elsewhere it can only stand in a comment, or in a name, which has to be quoted.
 */
export function withoutBraces(sql: string): string {
  if (!sql.includes("}")) return sql;
  return rewritten(sql, ({ name, text }) => {
    if (!text.includes("}")) return text;
    if (name.endsWith("COMMENT")) return text.replaceAll("}", ")");
    if (text.startsWith('"')) return `U&${text.replaceAll("\\", "\\\\").replaceAll("}", "\\007D")}`;
    if (/^u&/i.test(text)) return text.replaceAll("}", "\\007D");
    if (/^e'/i.test(text)) return text.replaceAll("}", "\\x7D");
    const [quote = ""] = /^(?:\$\w*\$|')/.exec(text) ?? [];
    const inner = text.slice(quote.length, -quote.length);
    const content = quote === "'" ? inner : inner.replaceAll("'", "''");
    return `E'${content.replaceAll("\\", "\\\\").replaceAll("}", "\\x7D")}'`;
  });
}

/** The same for psql, as one message, however many statements it has; ends with `;`. */
export function inOneMessage(sql: string): string {
  const joined = rewritten(sql.replace(/[\s;]+$/, ""), ({ name, text }) =>
    name === SEMICOLON ? "\\;" : text,
  );
  // Behind a comment it would be part of that.
  return `${joined}${/--[^\n]*$/.test(joined) ? "\n" : ""};`;
}

/** What PostgreSQL's scanner calls a character that is a token of its own. */
const SEMICOLON = "ASCII_59";

function rewritten(sql: string, change: (token: Token) => string): string {
  const bytes = Buffer.from(sql);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, tokenName } of scanSync(sql).tokens) {
    parts.push(bytes.toString("utf8", at, start));
    parts.push(change({ name: tokenName, text: bytes.toString("utf8", start, end) }));
    at = end;
  }
  return parts.join("") + bytes.toString("utf8", at);
}
