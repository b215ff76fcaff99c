import { outline, type StatementOutline } from "../parser/plpgsql-outline.ts";
import { type Token, tokensOf } from "../parser/sql.ts";
import {
  type MutationKind,
  type MutationPoint,
  mutationPointsOf,
  WEAKER,
} from "./mutation-points.ts";
import { type Source, sourceTree } from "./source-tree.ts";

/** A change of a routine's source: the characters from `start` to `end` are replaced by `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** An edit that makes one mutation, with a description for reports. */
export interface FoundEdit extends Edit {
  readonly kind: MutationKind;
  /** The line of the source, from 1. */
  readonly line: number;
  /** The statement it changes, in one line; of a block, a loop or a branch only the head. */
  readonly statement: string;
  /** The changed part before and after, each in one line; `after` is empty for a deletion. */
  readonly before: string;
  readonly after: string;
}

/** The edits of a source, in its order; `missed` counts the mutation points without an edit. */
export interface Edits {
  readonly found: readonly FoundEdit[];
  readonly missed: number;
}

/**
 * Finds an edit for each mutation point of a source. The tokens give candidates for where the change
 * is in the text, and the parser decides: a candidate counts only if the tree of the edited source is
 * the original tree with exactly this change. Edits keep the line numbers. The parser must be loaded.
 *
 * @throws the error of libpg-query, or of the outline, for a source that cannot be parsed
 */
export function editsOf(source: Source): Edits {
  const pending = new Map<string, MutationPoint[]>();
  for (const point of mutationPointsOf(sourceTree(source))) {
    pending.set(point.changed, [...(pending.get(point.changed) ?? []), point]);
  }
  const text = source.source;
  const tokens = tokensOf(text);
  const statements = source.language === "plpgsql" ? outline(tokens) : sqlStatements(tokens);
  const found: FoundEdit[] = [];
  for (const candidates of candidatesIn(text, tokens, statements)) {
    for (const candidate of candidates) {
      const points = pending.get(treeOfEdited(source, candidate));
      const index = points?.findIndex(({ kind }) => kind === candidate.kind) ?? -1;
      if (index < 0) continue;
      points?.splice(index, 1);
      found.push(described(text, candidate, statements));
      break;
    }
  }
  const missed = [...pending.values()].reduce((sum, points) => sum + points.length, 0);
  return { found: found.sort((a, b) => a.start - b.start || b.end - a.end), missed };
}

/** The source with all of these edits, which must not overlap. */
export function edited(source: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (text, { start, end, text: to }) => text.slice(0, start) + to + text.slice(end),
      source,
    );
}

function treeOfEdited(source: Source, edit: Edit): string {
  try {
    return JSON.stringify(sourceTree({ ...source, source: edited(source.source, [edit]) }));
  } catch {
    return "";
  }
}

/** A candidate. The part of the text that reports show begins at `shown`. */
interface Candidate extends Edit {
  readonly kind: MutationKind;
  readonly shown: number;
}

const CONDITIONS = new Set(["where", "when", "if", "elsif", "elseif", "while", "assert"]);

const LOCKS = new Set(["update", "no", "share", "key"]);

/** For each token at which a change may begin, the candidates for where it ends. */
function* candidatesIn(
  text: string,
  tokens: readonly Token[],
  statements: readonly Pick<StatementOutline, "start">[],
): Generator<Generator<Candidate>> {
  const starts = new Set(statements.map(({ start }) => start));
  for (const [index, token] of tokens.entries()) {
    const rest = tokens.slice(index + 1);
    if (starts.has(token.start)) yield deletions(text, token, [token, ...rest]);
    if (CONDITIONS.has(token.text)) yield negations(text, token, rest);
    if (token.text === "for" && LOCKS.has(rest[0]?.text ?? "")) yield unlockings(text, token, rest);
    yield weakenings(text, token, rest);
  }
}

function* deletions(text: string, first: Token, tokens: readonly Token[]): Generator<Candidate> {
  for (const [index, token] of tokens.entries()) {
    if (token.text === ";" || index === tokens.length - 1) {
      yield removal("delete-statement", text, first.start, token.end);
    }
  }
}

function* unlockings(text: string, first: Token, tokens: readonly Token[]): Generator<Candidate> {
  for (const end of endsOf(tokens)) yield removal("strip-lock", text, first.start, end);
}

function removal(kind: MutationKind, text: string, start: number, end: number): Candidate {
  const lines = text.slice(start, end).split("\n").length - 1;
  return { kind, start, end, text: "\n".repeat(lines), shown: start };
}

function* negations(text: string, keyword: Token, tokens: readonly Token[]): Generator<Candidate> {
  const start = tokens[0]?.start ?? 0;
  for (const end of endsOf(tokens)) {
    const negated = `not (${text.slice(start, end)})`;
    yield { kind: "negate-condition", start, end, text: negated, shown: keyword.start };
  }
}

function* weakenings(text: string, first: Token, [second]: readonly Token[]): Generator<Candidate> {
  const quoted = /^'(.+)'$/.exec(first.text)?.[1];
  for (const last of [first, second]) {
    const words = quoted ?? text.slice(first.start, last?.end).toLowerCase().replace(/\s+/g, " ");
    const weaker = WEAKER[words];
    if (last === undefined || weaker === undefined) continue;
    yield {
      kind: "weaken-isolation",
      start: first.start,
      end: last.end,
      text: quoted === undefined ? weaker : `'${weaker}'`,
      shown: first.start,
    };
  }
}

/** The tokens that can follow a condition or a locking clause. */
const FOLLOWING = new Set([
  ...["then", "loop", "else", "end", "when", "do", "into", "using", "returning"],
  ...["group", "having", "window", "order", "limit", "offset", "fetch", "for"],
  ...["union", "intersect", "except", ";", ",", ")", "]"],
]);

/** Where a clause that begins with these tokens may end: outside the brackets that open in it. */
function* endsOf(tokens: readonly Token[]): Generator<number> {
  let depth = 0;
  for (const [index, { text, end }] of tokens.entries()) {
    if (text === "(" || text === "[") depth++;
    if (text === ")" || text === "]") depth--;
    if (depth < 0 || (depth === 0 && text === ";")) return;
    const next = tokens[index + 1]?.text;
    if (depth === 0 && (next === undefined || FOLLOWING.has(next))) yield end;
  }
}

/** The statements of an SQL routine. */
function sqlStatements(
  tokens: readonly Token[],
): readonly Pick<StatementOutline, "start" | "headEnd">[] {
  const ends = tokens.filter(({ text }, i) => text === ";" || i === tokens.length - 1);
  return ends.flatMap(({ end }, i) => {
    const first = tokens.find(({ start }) => start >= (ends[i - 1]?.end ?? 0));
    return first === undefined ? [] : [{ start: first.start, headEnd: end }];
  });
}

function described(
  text: string,
  { shown, ...edit }: Candidate,
  statements: readonly Pick<StatementOutline, "start" | "headEnd">[],
): FoundEdit {
  const before = text.slice(shown, edit.end);
  const around = statements.findLast((it) => it.start <= shown && edit.end <= it.headEnd);
  return {
    ...edit,
    line: text.slice(0, shown).split("\n").length,
    statement: inOneLine(around ? text.slice(around.start, around.headEnd) : before),
    before: inOneLine(before),
    after: inOneLine(text.slice(shown, edit.start) + edit.text),
  };
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
