import { loadModule, parsePlPgSQLSync } from "libpg-query";
import { gateStatement } from "./gate-function.ts";
import { memoize } from "./memoize.ts";
import { type Outline, OutlineError, outline } from "./routine-outline.ts";
import {
  gateWords,
  type RoutineStatement,
  statementsOf,
  statementWords,
  type Tree,
  touchingDeclarations,
  withoutGates,
} from "./routine-statements.ts";
import { type Token, tokensOf } from "./routine-tokens.ts";
import type { TouchingNames } from "./routine-touches.ts";

/** A routine's definition as `pg_get_functiondef` gives it, in three parts. */
export interface Definition {
  /** CREATE OR REPLACE …, up to the source and including its opening quote. */
  readonly head: string;
  /** What PL/pgSQL runs (`prosrc`). */
  readonly source: string;
  readonly tail: string;
}

/** The parts of what `pg_get_functiondef` gives for a routine whose `prosrc` is `source`. */
export function definitionOf(routine: string, definition: string, source: string): Definition {
  const tail = /\$\w*\$\s*$/.exec(definition)?.[0] ?? "";
  const head = definition.slice(0, definition.length - tail.length - source.length);
  if (tail !== "" && head + source + tail === definition) return { head, source, tail };
  throw new Error(`the definition of ${routine} does not end with its source`);
}

/** A gate in a source. Lines and columns are those of the plain source, from 1. */
export interface SourcePlace {
  readonly place: number;
  readonly line: number;
  readonly column: number;
  /** The statement that comes next, in one line; of one that contains others, its head. */
  readonly text: string;
}

/** Something that touches the database in one step with what is before it. */
export interface Joined {
  readonly line: number;
  readonly reason: string;
}

/** A source with gates, or why it has none. */
export type Instrumented =
  | {
      readonly gated: true;
      readonly source: string;
      readonly places: readonly SourcePlace[];
      readonly joined: readonly Joined[];
    }
  | { readonly gated: false; readonly reason: string };

/**
 * Puts a gate before each statement that touches the database, numbered from `first`. Lines keep
 * their numbers. The result is read by PL/pgSQL's parser again: without its gates it has to be what
 * the plain source is, and each gate has to stand where it was meant to; else there is none.
 *
 * No statement can stand before the declarations of the outermost block, and none before the second
 * and further conditions of IF and CASE. Those that touch the database are in `joined`.
 */
export async function instrument(
  definition: Definition,
  first: number,
  names: TouchingNames,
): Promise<Instrumented> {
  await loadModule();
  try {
    return insertGates(definition, first, names);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof OutlineError)
      return { gated: false, reason: `its statements could not be told apart: ${message}` };
    return { gated: false, reason: `libpg-query cannot read it: ${message}` };
  }
}

/** The plain source again, byte for byte. */
export function strip(source: string): string {
  return source.replace(GATE, "");
}

const GATE = new RegExp(gateStatement(0).replace(/[().]/g, "\\$&").replace("0", "\\d+"), "g");

/** A statement that was found in both ways. */
type Located = Outline & RoutineStatement;

interface Insertion {
  readonly at: number;
  readonly of: Located;
  readonly again: boolean;
}

function insertGates(definition: Definition, first: number, names: TouchingNames): Instrumented {
  const { source } = definition;
  if (strip(source) !== source) throw new OutlineError("it has gates already");
  const tokens = tokensOf(source);
  const tree = knownTree(readable(definition, tokens));
  const declared = touchingDeclarations(tree, names);
  const located = locate(source, outline(tokens), statementsOf(tree, names), declared);
  const insertions = located.flatMap((of): Insertion[] => [
    ...(of.gate ? [{ at: of.start, of, again: false }] : []),
    ...(of.again && of.loopEnd !== undefined ? [{ at: of.loopEnd, of, again: true }] : []),
  ]);
  insertions.sort((a, b) => a.at - b.at);
  const gated = inserted(source, insertions, first);
  const wanted = [
    ...insertions.map(({ at, again }, index) => ({ at, words: gateWords(first + index, again) })),
    ...located.map(({ kind, line, start: at }) => ({ at, words: statementWords(kind, line) })),
  ].sort((a, b) => a.at - b.at);
  const again = readable({ ...definition, source: gated }, tokensOf(gated));
  const found = withoutGates(knownTree(again));
  if (
    found.rest !== withoutGates(tree).rest ||
    found.order.join() !== wanted.map(({ words }) => words).join() ||
    strip(gated) !== source
  ) {
    throw new OutlineError("with gates it would be another routine");
  }
  const places = insertions.map((insertion, index) => ({
    place: first + index,
    ...describe(source, insertion),
  }));
  return { gated: true, source: gated, places, joined: joinedIn(source, located, declared) };
}

/** What PL/pgSQL's own parser makes of a routine. Throws what it says of a broken one. */
export function treeOf(definition: Definition, tokens: readonly Token[]): Tree {
  return parsePlPgSQLSync(readable(definition, tokens));
}

const knownTree = memoize((definition: string) => parsePlPgSQLSync(definition) as object);

/** Its parser knows no types: with `%ROWTYPE` it takes a row for a scalar, without it for a row. */
function readable({ head, source, tail }: Definition, tokens: readonly Token[]): string {
  let plain = source;
  for (const [index, { text, start }] of tokens.entries()) {
    const next = tokens[index + 1];
    if (text !== "%" || next?.text !== "rowtype") continue;
    plain = plain.slice(0, start) + " ".repeat(next.end - start) + plain.slice(next.end);
  }
  return head + plain + tail;
}

/** Joins what the outline and the tree say of the same statements. */
function locate(
  source: string,
  outlines: readonly Outline[],
  statements: readonly RoutineStatement[],
  declared: readonly number[],
): readonly Located[] {
  if (outlines.length !== statements.length) throw new OutlineError("some were not found");
  return outlines.map((found, index) => {
    const statement = statements[index];
    const line = lineOf(source, found.keyword);
    if (statement?.kind !== found.kind || statement.line !== line) {
      throw new OutlineError(`line ${line} is not what it seems`);
    }
    const declares =
      index > 0 &&
      found.kind === "block" &&
      declared.some((at) => at >= lineOf(source, found.start) && at <= line);
    return { ...found, ...statement, gate: statement.gate || declares };
  });
}

function inserted(source: string, insertions: readonly Insertion[], first: number): string {
  const pieces = insertions.map(({ at }, index) => {
    const from = insertions[index - 1]?.at ?? 0;
    return source.slice(from, at) + gateStatement(first + index);
  });
  return pieces.join("") + source.slice(insertions.at(-1)?.at ?? 0);
}

function describe(source: string, { of, at, again }: Insertion): Omit<SourcePlace, "place"> {
  const line = lineOf(source, at);
  const column = [...source.slice(source.lastIndexOf("\n", at - 1) + 1, at)].length + 1;
  const head = source.slice(of.start, of.headEnd).replace(/\s+/g, " ");
  return { line, column, text: again ? `again: ${head}` : head };
}

function joinedIn(
  source: string,
  [outermost, ...others]: readonly Located[],
  declared: readonly number[],
): readonly Joined[] {
  const begin = outermost === undefined ? 0 : lineOf(source, outermost.keyword);
  return [
    ...declared
      .filter((line) => line <= begin)
      .map((line) => ({
        line,
        reason: "a declaration of the outermost block runs in one step with the call",
      })),
    ...others
      .filter(({ joined }) => joined)
      .map(({ line, kind }) => ({
        line,
        reason: `the conditions of this ${kind.toUpperCase()} run in one step with the first of them`,
      })),
  ].sort((a, b) => a.line - b.line);
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
