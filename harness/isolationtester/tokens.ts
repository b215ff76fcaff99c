import { HarnessError } from "../core/error.ts";

export interface SpecToken {
  readonly type: "keyword" | "identifier" | "sql" | "integer" | "mark" | "end";
  /** Of an identifier, without its quotes; of SQL, what is between the braces, trimmed. */
  readonly text: string;
  /** Where it begins; both from 1. */
  readonly line: number;
  readonly column: number;
}

const KEYWORDS = ["notices", "permutation", "session", "setup", "step", "teardown"];

/** A line break counts as SQL: only blanks beside the braces are left out. */
const BLANKS = "[ \\t\\r\\f]*";

const IGNORED = /(?:[ \t\r\f\n]|#[^\n\r]*)+/y;
const RULES: readonly [SpecToken["type"], RegExp][] = [
  ["identifier", /([A-Za-z\u0080-\u{10ffff}_][A-Za-z\u0080-\u{10ffff}_0-9$]*)/uy],
  ["identifier", /"((?:[^"\n]|"")*)"/y],
  ["sql", new RegExp(`\\{${BLANKS}([^}]*?)${BLANKS}\\}`, "y")],
  ["integer", /([0-9]+)/y],
  ["mark", /([,()*])/y],
];

/**
 * Splits a spec file into tokens; the last one is its end.
 * @throws HarnessError USAGE at what is no token, with its place.
 */
export function tokensOf(text: string, file: string): SpecToken[] {
  const tokens: SpecToken[] = [];
  const place = placer(text);
  let at = 0;
  for (;;) {
    at += matched(IGNORED, text, at)?.[0].length ?? 0;
    if (at >= text.length) return [...tokens, { type: "end", text: "", ...place(at) }];
    const token = RULES.map(([type, rule]) => ({ type, match: matched(rule, text, at) })).find(
      ({ match }) => match !== null,
    );
    if (token?.match == null) throw syntaxError(file, place(at), whatIsWrong(text, at));
    const [whole, inner = ""] = token.match;
    const keyword = token.type === "identifier" && KEYWORDS.includes(whole);
    const unquoted = whole.startsWith('"') ? inner.replaceAll('""', '"') : inner;
    tokens.push({ type: keyword ? "keyword" : token.type, text: unquoted, ...place(at) });
    at += whole.length;
  }
}

export function syntaxError(
  file: string,
  { line, column }: Pick<SpecToken, "line" | "column">,
  what: string,
): HarnessError {
  return new HarnessError("USAGE", `${file}:${line}:${column}: ${what}`);
}

function whatIsWrong(text: string, at: number): string {
  const [character = ""] = text.slice(at);
  if (character === "{") return "this SQL block is not closed: a } is missing";
  if (character === '"') return "this quoted name does not end on its line";
  return `unexpected character "${character}"`;
}

function matched(rule: RegExp, text: string, at: number): RegExpExecArray | null {
  rule.lastIndex = at;
  return rule.exec(text);
}

/** Says line and column of ever later positions. */
function placer(text: string): (at: number) => Pick<SpecToken, "line" | "column"> {
  let line = 1;
  let lineStart = 0;
  return (at) => {
    for (;;) {
      const end = text.indexOf("\n", lineStart);
      if (end < 0 || end >= at) return { line, column: at - lineStart + 1 };
      line++;
      lineStart = end + 1;
    }
  };
}
