import { type Outline, outline } from "../instrumentation/routine-outline.ts";
import { type Token, tokensOf } from "../instrumentation/routine-tokens.ts";
import {
  type MutationKind,
  type MutationPoint,
  mutationPointsOf,
  WEAKER,
} from "./mutation-points.ts";
import { type Source, sourceTree } from "./source-tree.ts";

/** A change of a routine's source: what stands from `start` to `end` becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** An edit, and what it does. */
export interface FoundEdit extends Edit {
  readonly kind: MutationKind;
  /** From 1. */
  readonly line: number;
  /** The statement that it is in, of one with others in it the head, in one line. */
  readonly statement: string;
  /** In one line, what changes; and what becomes of it, empty where nothing is left. */
  readonly before: string;
  readonly after: string;
}

/** The edits of a source, in its order, and how many changes its tree offers beyond these. */
export interface Edits {
  readonly found: readonly FoundEdit[];
  readonly missed: number;
}

/**
 * Finds the edits that make each change that a source's tree offers. Where in the text a change is
 * to be made is guessed from its tokens; the parser then decides: an edit counts only if the tree
 * of the edited source is that of the plain one with exactly one change. Lines keep their numbers.
 * libpg-query has to be loaded. Throws what it, or the outline, says of a source that it cannot read.
 */
export function editsOf(source: Source): Edits {
  const open = new Map<string, MutationPoint[]>();
  for (const site of mutationPointsOf(sourceTree(source))) {
    open.set(site.changed, [...(open.get(site.changed) ?? []), site]);
  }
  const text = source.source;
  const tokens = tokensOf(text);
  const statements = source.language === "plpgsql" ? outline(tokens) : sqlStatements(tokens);
  const found: FoundEdit[] = [];
  for (const guesses of guessesIn(text, tokens, statements)) {
    for (const guess of guesses) {
      const sites = open.get(treeOfEdited(source, guess));
      const index = sites?.findIndex(({ kind }) => kind === guess.kind) ?? -1;
      if (index < 0) continue;
      sites?.splice(index, 1);
      found.push(described(text, guess, statements));
      break;
    }
  }
  const missed = [...open.values()].reduce((sum, sites) => sum + sites.length, 0);
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

/** An edit that might make a change. `shown` is the part of the text to show for it. */
interface Guess extends Edit {
  readonly kind: MutationKind;
  readonly shown: number;
}

const CONDITIONS = new Set(["where", "when", "if", "elsif", "elseif", "while", "assert"]);

const LOCKS = new Set(["update", "no", "share", "key"]);

/** For each place that something may be changed at, the guesses of where it ends. */
function* guessesIn(
  text: string,
  tokens: readonly Token[],
  statements: readonly Pick<Outline, "start">[],
): Generator<Generator<Guess>> {
  const starts = new Set(statements.map(({ start }) => start));
  for (const [index, token] of tokens.entries()) {
    const rest = tokens.slice(index + 1);
    if (starts.has(token.start)) yield deletions(text, token, [token, ...rest]);
    if (CONDITIONS.has(token.text)) yield negations(text, token, rest);
    if (token.text === "for" && LOCKS.has(rest[0]?.text ?? "")) yield unlockings(text, token, rest);
    yield weakenings(text, token, rest);
  }
}

function* deletions(text: string, first: Token, tokens: readonly Token[]): Generator<Guess> {
  for (const [index, token] of tokens.entries()) {
    if (token.text === ";" || index === tokens.length - 1) {
      yield removal("delete-statement", text, first.start, token.end);
    }
  }
}

function* unlockings(text: string, first: Token, tokens: readonly Token[]): Generator<Guess> {
  for (const end of endsOf(tokens)) yield removal("strip-lock", text, first.start, end);
}

function removal(kind: MutationKind, text: string, start: number, end: number): Guess {
  const lines = text.slice(start, end).split("\n").length - 1;
  return { kind, start, end, text: "\n".repeat(lines), shown: start };
}

function* negations(text: string, keyword: Token, tokens: readonly Token[]): Generator<Guess> {
  const start = tokens[0]?.start ?? 0;
  for (const end of endsOf(tokens)) {
    const negated = `not (${text.slice(start, end)})`;
    yield { kind: "negate-condition", start, end, text: negated, shown: keyword.start };
  }
}

function* weakenings(text: string, first: Token, [second]: readonly Token[]): Generator<Guess> {
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

/** What can stand after a condition, or after a clause that locks. */
const FOLLOWING = new Set([
  ...["then", "loop", "else", "end", "when", "do", "into", "using", "returning"],
  ...["group", "having", "window", "order", "limit", "offset", "fetch", "for"],
  ...["union", "intersect", "except", ";", ",", ")", "]"],
]);

/** Where a clause that begins with these tokens may end: outside of all brackets that open in it. */
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

/** Where the statements of an SQL routine are. */
function sqlStatements(tokens: readonly Token[]): readonly Pick<Outline, "start" | "headEnd">[] {
  const ends = tokens.filter(({ text }, i) => text === ";" || i === tokens.length - 1);
  return ends.flatMap(({ end }, i) => {
    const first = tokens.find(({ start }) => start >= (ends[i - 1]?.end ?? 0));
    return first === undefined ? [] : [{ start: first.start, headEnd: end }];
  });
}

function described(
  text: string,
  { shown, ...edit }: Guess,
  statements: readonly Pick<Outline, "start" | "headEnd">[],
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
