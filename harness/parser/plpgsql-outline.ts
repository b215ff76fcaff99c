import type { Token } from "./sql.ts";

/** Where a statement is in a PL/pgSQL source. All offsets are those of the string. */
export interface StatementOutline {
  readonly kind: "block" | "if" | "case" | "loop" | "while" | "for" | "foreach" | "simple";
  /** Start of the statement, which includes its label. */
  readonly start: number;
  /** Start of the keyword whose line is the line of the statement: for a block its BEGIN. */
  readonly keyword: number;
  /** End of the statement, or for one with inner statements, of what precedes the first of them. */
  readonly headEnd: number;
  /** For a loop, the start of its END LOOP. */
  loopEnd?: number;
  /** For an IF or a CASE with conditions, its ELSIFs or later WHENs, each with its THEN. */
  conditions?: { readonly start: number; readonly end: number }[];
}

/** A source that the outline cannot follow. */
export class OutlineError extends Error {}

const LOOPS = new Set(["loop", "while", "for", "foreach"]);
const OPENING = new Set(["(", "["]);
const CLOSING = new Set([")", "]"]);

/**
 * Finds the statements of a routine, in the order in which they start. libpg-query's tree of a
 * routine has the line of each statement but not its offset. The outline follows the grammar of
 * PL/pgSQL (src/pl/plpgsql/src/pl_gram.y in PostgreSQL): a statement or an expression extends to
 * the first token outside brackets that ends it. NULL statements are left out, as PL/pgSQL leaves
 * them out. The caller must check the result against the tree.
 *
 * @throws OutlineError if the source does not have the expected form.
 */
export function outline(tokens: readonly Token[]): readonly StatementOutline[] {
  return new Outliner(tokens).outline();
}

class Outliner {
  readonly #tokens: readonly Token[];
  readonly #outlines: StatementOutline[] = [];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  outline(): readonly StatementOutline[] {
    while (this.#text() === "#") this.#skipOption();
    this.#statement();
    if (this.#at < this.#tokens.length) throw new OutlineError("there is text after its last END");
    return this.#outlines;
  }

  #text(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? "";
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new OutlineError("it ends within a statement");
    this.#at++;
    return token;
  }

  #expect(text: string): Token {
    const token = this.#next();
    if (token.text !== text) throw new OutlineError(`"${text}" was expected at "${token.text}"`);
    return token;
  }

  /** Skips to the first of these tokens outside brackets, and past it. */
  #past(...texts: string[]): Token {
    for (let depth = 0; ; ) {
      const token = this.#next();
      if (depth === 0 && texts.includes(token.text)) return token;
      if (OPENING.has(token.text)) depth++;
      if (CLOSING.has(token.text)) depth--;
    }
  }

  /** Skips an option such as `#variable_conflict use_column`, before the outermost block. */
  #skipOption(): void {
    this.#expect("#");
    this.#next();
    this.#next();
  }

  #statements(): void {
    while (!this.#atEndOfList()) this.#statement();
  }

  #atEndOfList(): boolean {
    const text = this.#text();
    if (["end", "else", "elsif", "elseif", "when", ""].includes(text)) return true;
    return text === "exception" && this.#text(1) === "when";
  }

  #statement(): void {
    const { start } = this.#tokens[this.#at] ?? this.#next();
    if (this.#text() === "<<") this.#past(">>");
    const keyword = this.#text();
    if (keyword === "declare" || keyword === "begin") this.#block(start);
    else if (keyword === "if") this.#if(start);
    else if (keyword === "case") this.#case(start);
    else if (LOOPS.has(keyword)) this.#loop(start, keyword as StatementOutline["kind"]);
    else if (keyword === "null" && this.#text(1) === ";") this.#at += 2;
    else {
      const first = this.#next();
      this.#at--;
      this.#add("simple", start, first, this.#past(";"));
    }
  }

  #add(
    kind: StatementOutline["kind"],
    start: number,
    keyword: Token,
    last: Token,
  ): StatementOutline {
    const statement = { kind, start, keyword: keyword.start, headEnd: last.end };
    this.#outlines.push(statement);
    return statement;
  }

  #block(start: number): void {
    while (this.#text() !== "begin") {
      if (this.#text() === "declare") this.#next();
      else this.#past(";");
    }
    const begin = this.#expect("begin");
    this.#add("block", start, begin, begin);
    this.#statements();
    if (this.#text() === "exception") {
      this.#next();
      while (this.#text() === "when") {
        this.#past("then");
        this.#statements();
      }
    }
    this.#expect("end");
    if (this.#text() !== ";" && this.#text() !== "") this.#next();
    // The outermost block may end without a semicolon.
    if (this.#text() !== "") this.#expect(";");
  }

  #if(start: number): void {
    const keyword = this.#expect("if");
    const statement = this.#add("if", start, keyword, this.#past("then"));
    this.#statements();
    statement.conditions = this.#conditions("elsif", "elseif");
    this.#otherwise("if");
  }

  #case(start: number): void {
    const keyword = this.#expect("case");
    const searched = this.#text() === "when";
    let head = this.#past("when");
    head = this.#past("then");
    const statement = this.#add("case", start, keyword, head);
    this.#statements();
    const conditions = this.#conditions("when");
    if (searched) statement.conditions = conditions;
    this.#otherwise("case");
  }

  /** The conditions that begin with these keywords, and the statements after each. */
  #conditions(...keywords: string[]): { readonly start: number; readonly end: number }[] {
    const conditions: { readonly start: number; readonly end: number }[] = [];
    while (keywords.includes(this.#text())) {
      const { start } = this.#next();
      conditions.push({ start, end: this.#past("then").end });
      this.#statements();
    }
    return conditions;
  }

  #otherwise(keyword: string): void {
    if (this.#text() === "else") {
      this.#next();
      this.#statements();
    }
    this.#expect("end");
    this.#expect(keyword);
    this.#expect(";");
  }

  #loop(start: number, kind: StatementOutline["kind"]): void {
    const keyword = this.#next();
    const statement = this.#add(
      kind,
      start,
      keyword,
      kind === "loop" ? keyword : this.#past("loop"),
    );
    this.#statements();
    statement.loopEnd = this.#expect("end").start;
    this.#expect("loop");
    this.#past(";");
  }
}
