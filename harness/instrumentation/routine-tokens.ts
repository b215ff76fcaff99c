import { scanSync } from "libpg-query";
import { memoize } from "./memoize.ts";

/** A token of SQL or PL/pgSQL; comments are none. Offsets are those of the string. */
export interface Token {
  /** An unquoted word in lower case, which may be a keyword; anything else as it stands. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * PostgreSQL's own scanner, which PL/pgSQL uses too. Throws what it says of a broken source.
 * libpg-query has to be loaded.
 */
export const tokensOf = memoize((source: string): readonly Token[] => {
  const { tokens } = scanSync(source);
  const at = stringOffsets(source);
  return tokens
    .filter(({ tokenName }) => tokenName !== "SQL_COMMENT" && tokenName !== "C_COMMENT")
    .map((token) => {
      const [start, end] = [at(token.start), at(token.end)];
      const text = source.slice(start, end);
      return { text: /^\w+$/.test(text) ? text.toLowerCase() : text, start, end };
    });
});

/** From offsets in bytes of UTF-8 to offsets in the string. */
function stringOffsets(source: string): (byte: number) => number {
  if (Buffer.byteLength(source) === source.length) return (byte) => byte;
  const offsets: number[] = [];
  let at = 0;
  for (const character of source) {
    const bytes = Buffer.byteLength(character);
    for (let i = 0; i < bytes; i++) offsets.push(at);
    at += character.length;
  }
  offsets.push(at);
  return (byte) => offsets[byte] ?? at;
}
