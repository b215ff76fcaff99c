import type { Marker, Permutation, PermutationStep, Spec, SpecSession, SpecStep } from "./spec.ts";
import { type SpecToken, syntaxError, tokensOf } from "./tokens.ts";

/** A marker or step of a permutation, before its names are looked up. */
interface NamedMarker {
  readonly name: SpecToken | undefined;
  readonly notices: number | undefined;
}
interface NamedStep {
  readonly name: SpecToken;
  readonly markers: readonly NamedMarker[];
}

/**
 * Reads a spec file.
 * @param file its name, for messages.
 * @throws HarnessError USAGE with file, line, column and what is wrong there.
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
      throw reader.error(stepName, `there is another step named "${stepName.text}"`);
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
    if (step === undefined) throw reader.error(name, `there is no step named "${name.text}"`);
    return step;
  });
  const marker = (of: SpecStep, { name, notices }: NamedMarker): Marker => {
    if (name === undefined) return { type: "once" };
    const step = steps.find((other) => other.name === name.text);
    if (step === undefined) {
      throw reader.error(name, `"${name.text}" is no step of this permutation`);
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

/** Goes through the tokens, and says what was expected where something else stands. */
class Reader {
  readonly #tokens: readonly SpecToken[];
  readonly #file: string;
  #at = 0;

  constructor(tokens: readonly SpecToken[], file: string) {
    this.#tokens = tokens;
    this.#file = file;
  }

  /** Whether a keyword or mark is next; a quoted name never is one. */
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

  /** `setup { … }` or `teardown { … }`, if it is next. */
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
    const found =
      type === "end" ? "the file ends" : `${type === "sql" ? "SQL" : `"${text}"`} stands`;
    return this.error(this.#next, `${found} here, and not ${what}`);
  }
}
