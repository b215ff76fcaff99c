import { readFile } from "node:fs/promises";
import { HarnessError } from "../core/error.ts";
import type { Marker, Permutation, PermutationStep, Spec, SpecSession, SpecStep } from "./spec.ts";

/** A marker whose step name is not looked up yet; `name` is undefined for `*`. */
interface NamedMarker {
  readonly name: SpecToken | undefined;
  readonly notices: number | undefined;
}
/** A step of a permutation whose names are not looked up yet. */
interface NamedStep {
  readonly name: SpecToken;
  readonly markers: readonly NamedMarker[];
}

/**
 * Parses the text of a spec file.
 * @param file the file's name, for messages.
 * @throws HarnessError USAGE with the file, line and column of a syntax error, and what was expected.
 */
export function parseSpec(text: string, file: string): Spec {
  const reader = new Reader(tokensOf(text, file), file);
  const setups: string[] = [];
  for (let setup = reader.block("setup"); setup !== undefined; setup = reader.block("setup")) {
    setups.push(setup);
  }
  const teardown = reader.block("teardown");
  const steps = new Map<string, SpecStep>();
  const sessions: SpecSession[] = [];
  do sessions.push(session(reader, sessions.length, steps));
  while (reader.sees("session"));
  const permutations: Permutation[] = [];
  while (reader.takes("permutation"))
    permutations.push(resolved(permutation(reader), steps, reader));
  reader.end(permutations.length > 0 ? '"permutation"' : '"session" or "permutation"');
  return { setups, teardown, sessions, permutations };
}

function session(reader: Reader, number: number, all: Map<string, SpecStep>): SpecSession {
  reader.keyword("session");
  const { text: name } = reader.name("the session's name");
  const setup = reader.block("setup");
  const steps: SpecStep[] = [];
  do {
    reader.keyword("step");
    const stepName = reader.name("the step's name");
    if (all.has(stepName.text)) {
      throw reader.error(stepName, `another step is named "${stepName.text}"`);
    }
    const step = { name: stepName.text, sql: reader.sql(), session: number };
    all.set(step.name, step);
    steps.push(step);
  } while (reader.sees("step"));
  return { name, setup, steps, teardown: reader.block("teardown") };
}

function permutation(reader: Reader): NamedStep[] {
  const steps: NamedStep[] = [];
  do {
    const name = reader.name("a step's name");
    steps.push({ name, markers: reader.takes("(") ? markers(reader) : [] });
  } while (reader.seesName());
  return steps;
}

function markers(reader: Reader): NamedMarker[] {
  const all: NamedMarker[] = [];
  do {
    if (reader.takes("*")) all.push({ name: undefined, notices: undefined });
    else {
      const name = reader.name('"*" or a step\'s name');
      all.push({ name, notices: reader.takes("notices") ? reader.integer() : undefined });
    }
  } while (reader.takes(","));
  reader.mark(")");
  return all;
}

function resolved(
  named: readonly NamedStep[],
  all: ReadonlyMap<string, SpecStep>,
  reader: Reader,
): PermutationStep[] {
  const steps = named.map(({ name }) => {
    const step = all.get(name.text);
    if (step === undefined) throw reader.error(name, `no step is named "${name.text}"`);
    return step;
  });
  const marker = (of: SpecStep, { name, notices }: NamedMarker): Marker => {
    if (name === undefined) return { type: "once" };
    const step = steps.find((other) => other.name === name.text);
    if (step === undefined) {
      throw reader.error(name, `"${name.text}" is not a step of this permutation`);
    }
    if (step.session === of.session) {
      throw reader.error(name, `"${of.name}" cannot wait for a step of its own session`);
    }
    return notices === undefined
      ? { type: "step", step }
      : { type: "notices", step, count: notices };
  };
  return steps.map((step, index) => ({
    step,
    markers: named[index]?.markers.map((one) => marker(step, one)) ?? [],
  }));
}

/** Reads tokens one by one; throws an error that says what was expected instead of another token. */
class Reader {
  readonly #tokens: readonly SpecToken[];
  readonly #file: string;
  #at = 0;

  constructor(tokens: readonly SpecToken[], file: string) {
    this.#tokens = tokens;
    this.#file = file;
  }

  /** Whether the next token is this keyword or mark. A quoted name is neither. */
  sees(text: string): boolean {
    const { type, text: found } = this.#next;
    return (type === "keyword" || type === "mark") && found === text;
  }

  seesName(): boolean {
    return this.#next.type === "identifier";
  }

  takes(text: string): boolean {
    const sees = this.sees(text);
    if (sees) this.#at++;
    return sees;
  }

  keyword(text: string): void {
    if (!this.takes(text)) throw this.#expected(`"${text}"`);
  }

  mark(text: string): void {
    this.keyword(text);
  }

  name(what: string): SpecToken {
    return this.#take("identifier", what);
  }

  integer(): number {
    return Number(this.#take("integer", "a number of notices").text);
  }

  sql(): string {
    return this.#take("sql", "SQL in braces").text;
  }

  /** The SQL of `setup { … }` or `teardown { … }`; undefined if the next token is not `keyword`. */
  block(keyword: string): string | undefined {
    return this.takes(keyword) ? this.sql() : undefined;
  }

  end(otherwise: string): void {
    this.#take("end", `${otherwise} or the end of the file`);
  }

  error(at: SpecToken, what: string): Error {
    return syntaxError(this.#file, at, what);
  }

  get #next(): SpecToken {
    return this.#tokens[this.#at] ?? { type: "end", text: "", line: 1, column: 1 };
  }

  #take(type: SpecToken["type"], what: string): SpecToken {
    const token = this.#next;
    if (token.type !== type) throw this.#expected(what);
    this.#at++;
    return token;
  }

  #expected(what: string): Error {
    const { type, text } = this.#next;
    const found = type === "end" ? "the end of the file" : type === "sql" ? "SQL" : `"${text}"`;
    return this.error(this.#next, `expected ${what}, found ${found}`);
  }
}

interface SpecToken {
  readonly type: "keyword" | "identifier" | "sql" | "integer" | "mark" | "end";
  /** An identifier without its quotes; SQL without its braces and the blanks beside them. */
  readonly text: string;
  /** Where the token begins; both count from 1. */
  readonly line: number;
  readonly column: number;
}

const KEYWORDS = ["notices", "permutation", "session", "setup", "step", "teardown"];

/** Trimmed beside the braces. A line break is not a blank here: it is part of the SQL. */
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
 * Splits a spec file into tokens. The last token has the type `end`.
 * @throws HarnessError USAGE with the position of a character that begins no token.
 */
function tokensOf(text: string, file: string): SpecToken[] {
  const tokens: SpecToken[] = [];
  const place = lineCounter(text);
  let at = 0;
  for (;;) {
    at += matched(IGNORED, text, at)?.[0].length ?? 0;
    if (at >= text.length) return [...tokens, { type: "end", text: "", ...place(at) }];
    const token = RULES.map(([type, rule]) => ({ type, match: matched(rule, text, at) })).find(
      ({ match }) => match !== null,
    );
    if (token?.match == null) throw syntaxError(file, place(at), tokenProblem(text, at));
    const [whole, inner = ""] = token.match;
    const keyword = token.type === "identifier" && KEYWORDS.includes(whole);
    const unquoted = whole.startsWith('"') ? inner.replaceAll('""', '"') : inner;
    tokens.push({ type: keyword ? "keyword" : token.type, text: unquoted, ...place(at) });
    at += whole.length;
  }
}

function syntaxError(
  file: string,
  { line, column }: Pick<SpecToken, "line" | "column">,
  what: string,
): HarnessError {
  return new HarnessError("USAGE", `${file}:${line}:${column}: ${what}`);
}

function tokenProblem(text: string, at: number): string {
  const [character = ""] = text.slice(at);
  if (character === "{") return "this SQL block has no closing }";
  if (character === '"') return "this quoted name has no closing quote on its line";
  return `unexpected character "${character}"`;
}

function matched(rule: RegExp, text: string, at: number): RegExpExecArray | null {
  rule.lastIndex = at;
  return rule.exec(text);
}

/** A function from offsets to lines and columns. Each offset must be at least the one before. */
function lineCounter(text: string): (at: number) => Pick<SpecToken, "line" | "column"> {
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

/**
 * Reads a text file.
 * @param what the kind of the file, for the message.
 * @throws HarnessError USAGE when the file cannot be read.
 */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new HarnessError("USAGE", `The ${what} ${file} cannot be read: check its path.`, {
      cause,
    });
  }
}
