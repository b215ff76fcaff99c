import type { Statement } from "../core/trace.ts";
import { replaceTokens } from "../parser/sql.ts";

/** The name of `;` in PostgreSQL's scanner. */
const SEMICOLON = "ASCII_59";

/** A statement with its parameters replaced by literals of unknown type, as drivers send them. */
export function withValues({ sql, values }: Statement): string {
  return replaceTokens(sql, ({ name, text }) => {
    if (name !== "PARAM") return text;
    const value = values[Number(text.slice(1)) - 1];
    return value === undefined ? text : literal(value);
  });
}

export function literal(value: string | null): string {
  return value === null ? "null" : `'${value.replaceAll("'", "''")}'`;
}

/**
 * Equivalent SQL without `}`, which a block of a spec cannot contain. It is escaped in strings and in
 * quoted names, and replaced by `)` in comments.
 */
export function withoutBraces(sql: string): string {
  if (!sql.includes("}")) return sql;
  return replaceTokens(sql, ({ name, text }) => {
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

/** SQL that psql sends as one message, even if it has several statements. Ends with `;`. */
export function inOneMessage(sql: string): string {
  const joined = replaceTokens(sql.replace(/[\s;]+$/, ""), ({ name, text }) =>
    name === SEMICOLON ? "\\;" : text,
  );
  // Without a line break, the semicolon would be part of a comment at the end.
  return `${joined}${/--[^\n]*$/.test(joined) ? "\n" : ""};`;
}
