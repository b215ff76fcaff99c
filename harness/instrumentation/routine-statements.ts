import type { Outline } from "./routine-outline.ts";
import { type Touch, type TouchingNames, touchOf } from "./routine-touches.ts";

/** libpg-query's tree of a PL/pgSQL routine: what PL/pgSQL's own parser found. */
export type Tree = unknown;

/** A statement as PL/pgSQL sees it, and where gates belong. */
export interface RoutineStatement {
  readonly kind: Outline["kind"];
  /** From 1, in the routine's source. */
  readonly line: number;
  /** It touches the database: a gate stands before it. */
  readonly gate: boolean;
  /** Of a loop: each repetition touches the database, so a gate stands at the body's end too. */
  readonly again: boolean;
  /** It has further conditions that touch the database, and no place for a gate before them. */
  readonly joined: boolean;
}

export const PREFIX = "PLpgSQL_stmt_";

const KINDS: { readonly [kind: string]: Outline["kind"] } = {
  block: "block",
  if: "if",
  case: "case",
  loop: "loop",
  while: "while",
  fori: "for",
  fors: "for",
  forc: "for",
  dynfors: "for",
  foreach_a: "foreach",
};

/** They touch the database whatever they contain: what runs, or runs on, is not in their text. */
const ALWAYS = new Set(["dynexecute", "dynfors", "commit", "rollback", "open", "fetch", "forc"]);

/** The loops of which each repetition evaluates a query or goes on with one that is not known. */
const UNKNOWN_ROWS = new Set(["forc", "dynfors"]);

interface Node {
  readonly [key: string]: unknown;
}

export interface Expression {
  readonly query: string;
  readonly parseMode?: number;
}

/** All statements, in the order in which they begin in the source. */
export function statementsOf(tree: Tree, names: TouchingNames): readonly RoutineStatement[] {
  const found: RoutineStatement[] = [];
  walk(tree, false, found, names);
  return found;
}

function walk(tree: Tree, repeats: boolean, found: RoutineStatement[], names: TouchingNames): void {
  if (Array.isArray(tree)) {
    for (const item of tree) walk(item, repeats, found, names);
  } else if (isNode(tree)) {
    for (const [key, value] of Object.entries(tree)) {
      const statement = key.startsWith(PREFIX)
        ? check(key, value as Node, repeats, names)
        : undefined;
      // What PL/pgSQL adds itself, around a block or as a last RETURN, has no line.
      if (statement !== undefined && statement.line > 0) found.push(statement);
      walk(value, repeats || (statement?.again ?? false), found, names);
    }
  }
}

function check(key: string, node: Node, repeats: boolean, names: TouchingNames): RoutineStatement {
  const kind = key.slice(PREFIX.length);
  const touches = expressionsIn(node).map((it) => touch(it, names));
  const touching = touches.filter((it) => it.touches);
  // CONTINUE leads to the next repetition too. The tree does not tell of which loop.
  const continues = kind === "exit" && node["is_exit"] !== true && repeats;
  const dynamic = ALWAYS.has(kind) || node["dynquery"] !== undefined;
  return {
    kind: kindOf(kind),
    line: typeof node["lineno"] === "number" ? node["lineno"] : 0,
    gate: touching.length > 0 || continues || dynamic,
    again:
      UNKNOWN_ROWS.has(kind) ||
      (kind === "while" && touching.length > 0) ||
      (kind === "fors" && touching.some((it) => it.eachRow)),
    joined: (kind === "if" || kind === "case") && touching.length > 1,
  };
}

function kindOf(kind: string): Outline["kind"] {
  return KINDS[kind] ?? "simple";
}

function touch({ query, parseMode }: Expression, names: TouchingNames): Touch {
  return touchOf(query, parseMode ?? 0, names);
}

/** The lines of the declarations whose first values touch the database. */
export function touchingDeclarations(tree: Tree, names: TouchingNames): readonly number[] {
  const { datums } = functionIn(tree);
  if (!Array.isArray(datums)) return [];
  return datums.flatMap((datum: Node): number[] => {
    const [declared] = Object.values(datum) as Node[];
    const line = declared?.["lineno"];
    const value = declared?.["default_val"];
    if (typeof line !== "number" || !isNode(value)) return [];
    return expressionsIn(value).some((it) => touch(it, names).touches) ? [line] : [];
  });
}

/** A statement's own expressions, not those of the statements in it. */
export function expressionsIn(tree: Tree): readonly Expression[] {
  if (Array.isArray(tree)) return tree.flatMap(expressionsIn);
  if (!isNode(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => {
    if (key.startsWith(PREFIX) || key === "var" || key === "target") return [];
    return key === "PLpgSQL_expr" ? [value as Expression] : expressionsIn(value);
  });
}

export function functionIn(tree: Tree): Node {
  const [first] = (tree as { plpgsql_funcs?: { PLpgSQL_function?: Node }[] }).plpgsql_funcs ?? [];
  return first?.PLpgSQL_function ?? {};
}

/**
 * The tree without its gates, in a form to compare; and its statements and gates in the order of
 * the source, in words.
 */
export function withoutGates(tree: Tree): { readonly rest: string; readonly order: string[] } {
  const order: string[] = [];
  const strip = (value: Tree): Tree => {
    if (Array.isArray(value)) {
      const kept = value.flatMap((item, index) => {
        const gate = gateIn(item);
        if (gate === undefined) return [strip(item)];
        order.push(gateWords(gate, index === value.length - 1));
        return [];
      });
      return kept.length === 0 ? undefined : kept;
    }
    if (!isNode(value)) return value;
    const entries = Object.entries(value).map(([key, inner]) => {
      if (key.startsWith(PREFIX)) order.push(...words(key, inner as Node));
      return [key, strip(inner)];
    });
    return Object.fromEntries(entries);
  };
  return { rest: JSON.stringify(strip(tree)), order };
}

function words(key: string, { lineno }: Node): string[] {
  return typeof lineno === "number"
    ? [statementWords(kindOf(key.slice(PREFIX.length)), lineno)]
    : [];
}

export const gateWords = (gate: number, last: boolean): string =>
  `gate ${gate}${last ? " at the end" : ""}`;
export const statementWords = (kind: string, line: number): string => `${kind} in line ${line}`;

export function gateIn(node: Tree): number | undefined {
  const inner = isNode(node) ? node[`${PREFIX}if`] : undefined;
  const [condition, ...more] = isNode(inner) ? expressionsIn(inner) : [];
  const call = /^heddle\.gate\((\d+)\)$/.exec(condition?.query ?? "");
  return call === null || more.length > 0 ? undefined : Number(call[1]);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
