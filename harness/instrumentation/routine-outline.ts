import type { Token } from "./routine-tokens.ts";

/** A statement of a PL/pgSQL source, and where it stands. */
export interface Outline {
  readonly kind: "block" | "if" | "case" | "loop" | "while" | "for" | "foreach" | "simple";
  /** Where it begins: its label, if it has one, belongs to it. */
  readonly start: number;
  /** Where the keyword stands that gives the statement its line: of a block, its BEGIN. */
  readonly keyword: number;
  /** End of the statement, or of what precedes its first inner statement. */
  readonly headEnd: number;
  /** Of a loop: where its END LOOP begins. */
  loopEnd?: number;
}

/** The source is not of the form that the outline understands. */
export class OutlineError extends Error {}

const LOOPS = new Set(["loop", "while", "for", "foreach"]);
const OPENING = new Set(["(", "["]);
const CLOSING = new Set([")", "]"]);

/**
 * Finds the statements of a routine, in the order in which they begin. It follows PL/pgSQL's own
 * grammar (src/pl/plpgsql/src/pl_gram.y): a statement or an expression goes on to the first token
 * that ends it outside of brackets, whatever stands in between. Empty statements (NULL) are left
 * out, as PL/pgSQL leaves them out. What it finds has to be checked against PL/pgSQL's own tree.
 */
export function outline(tokens: readonly Token[]): readonly Outline[] {
  return new Outliner(tokens).outline();
}

class Outliner {
  readonly #tokens: readonly Token[];
  readonly #found: Outline[] = [];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  outline(): readonly Outline[] {
    while (this.#text() === "#") this.#skipOption();
    this.#statement();
    if (this.#at < this.#tokens.length) throw new OutlineError("something follows its last END");
    return this.#found;
  }

  #text(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? "";
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new OutlineError("it ends in the middle of a statement");
    this.#at++;
    return token;
  }

  #expect(text: string): Token {
    const token = this.#next();
    if (token.text !== text) throw new OutlineError(`"${text}" was expected at "${token.text}"`);
    return token;
  }

  /** Up to that token outside of brackets, and past it. */
  #past(...texts: string[]): Token {
    for (let depth = 0; ; ) {
      const token = this.#next();
      if (depth === 0 && texts.includes(token.text)) return token;
      if (OPENING.has(token.text)) depth++;
      if (CLOSING.has(token.text)) depth--;
    }
  }

  /** `#variable_conflict use_column` and the like, before the outermost block. */
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
    else if (LOOPS.has(keyword)) this.#loop(start, keyword as Outline["kind"]);
    else if (keyword === "null" && this.#text(1) === ";") this.#at += 2;
    else {
      const first = this.#next();
      this.#at--;
      this.#add("simple", start, first, this.#past(";"));
    }
  }

  #add(kind: Outline["kind"], start: number, keyword: Token, last: Token): Outline {
    const found = { kind, start, keyword: keyword.start, headEnd: last.end };
    this.#found.push(found);
    return found;
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
    // After the outermost block it may be missing.
    if (this.#text() !== "") this.#expect(";");
  }

  #if(start: number): void {
    const keyword = this.#expect("if");
    this.#add("if", start, keyword, this.#past("then"));
    this.#statements();
    while (this.#text() === "elsif" || this.#text() === "elseif") {
      this.#past("then");
      this.#statements();
    }
    this.#otherwise("if");
  }

  #case(start: number): void {
    const keyword = this.#expect("case");
    let head = this.#past("when");
    head = this.#past("then");
    this.#add("case", start, keyword, head);
    this.#statements();
    while (this.#text() === "when") {
      this.#past("then");
      this.#statements();
    }
    this.#otherwise("case");
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

  #loop(start: number, kind: Outline["kind"]): void {
    const keyword = this.#next();
    const found = this.#add(kind, start, keyword, kind === "loop" ? keyword : this.#past("loop"));
    this.#statements();
    found.loopEnd = this.#expect("end").start;
    this.#expect("loop");
    this.#past(";");
  }
}
