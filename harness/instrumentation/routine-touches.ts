import { parseSync } from "libpg-query";
import { attributesIn } from "./attributes.ts";
import { memoize } from "./memoize.ts";

/**
 * Functions that may read or change what other sessions see, by their names without schema: a
 * statement that calls one of them touches the database. Not among them is a routine whose own
 * statements are gated: it is stopped inside.
 */
export type TouchingNames = ReadonlySet<string>;

/** How PL/pgSQL reads an expression (`RawParseMode` in src/include/parser/parser.h). */
const ASSIGNMENTS: ReadonlySet<number> = new Set([3, 4, 5]);
export const EXPRESSION = 2;

/** What of the shared state an SQL statement or expression may touch. */
export interface Touch {
  /** It reads or changes something, or takes a lock. */
  readonly touches: boolean;
  /** So does each fetching of its rows, beyond reading them with the snapshot of the first. */
  readonly eachRow: boolean;
}

const NOTHING: Touch = { touches: false, eachRow: false };
/** Statements that write run to their end before their first row is handed on. */
const AT_ONCE: Touch = { touches: true, eachRow: false };
const UNKNOWN: Touch = { touches: true, eachRow: true };

/** Statements that only concern the session itself. */
const PRIVATE = new Set(["VariableSetStmt", "VariableShowStmt"]);
/** Statements of which only the contents tell. */
const CONTENTS = new Set(["SelectStmt", "CallStmt"]);
const CHANGES = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

/**
 * Looks at the tree of a query as PL/pgSQL holds it. Whatever cannot be read touches. Not seen are
 * functions behind operators, casts and domains of the application's own. libpg-query has to be
 * loaded.
 */
export function touchOf(query: string, mode: number, names: TouchingNames): Touch {
  const { touch, calls } = contentsOf(asStatement(query, mode));
  return calls.some((name) => names.has(name)) ? UNKNOWN : touch;
}

/** What a statement may touch, apart from the functions that it calls. */
interface Contents {
  readonly touch: Touch;
  /** Those functions' names. */
  readonly calls: readonly string[];
}

const contentsOf = memoize((statement: string): Contents => {
  let tree: { stmts?: { stmt?: object }[] };
  try {
    tree = parseSync(statement) as typeof tree;
  } catch {
    return { touch: UNKNOWN, calls: [] };
  }
  const contents = tree.stmts?.[0]?.stmt ?? {};
  const [kind = ""] = Object.keys(contents);
  if (PRIVATE.has(kind)) return { touch: NOTHING, calls: [] };
  if (!CONTENTS.has(kind)) return { touch: AT_ONCE, calls: [] };
  const touch = { ...NOTHING };
  const calls: string[] = [];
  look(contents, touch, calls);
  return { touch, calls };
});

/** A statement with the same contents. */
export function asStatement(query: string, mode: number): string {
  if (mode === EXPRESSION) return `SELECT ${query}`;
  return ASSIGNMENTS.has(mode) ? `SELECT ${asRow(query)}` : query;
}

/** `target := value` as two columns: so the parser reads what stands in either. */
function asRow(assignment: string): string {
  const sign = /:=|=/.exec(withoutBrackets(assignment));
  if (sign === null) return assignment;
  const after = sign.index + sign[0].length;
  return `${assignment.slice(0, sign.index)}, ${assignment.slice(after)}`;
}

/** The subscripts of a target may contain the sign too. */
function withoutBrackets(text: string): string {
  let depth = 0;
  return text.replace(/./gsu, (character) => {
    if (character === "[") depth++;
    if (character === "]") depth--;
    return depth > 0 ? "_".repeat(character.length) : character;
  });
}

function look(node: unknown, touch: { touches: boolean; eachRow: boolean }, calls: string[]) {
  if (typeof node !== "object" || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) look(item, touch, calls);
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === "funcname") calls.push(lastName(value));
    calls.push(...attributesIn(key, value));
    if (key === "lockingClause") touch.eachRow = true;
    if (key === "RangeVar" || CHANGES.has(key)) touch.touches = true;
    look(value, touch, calls);
  }
}

function lastName(parts: unknown): string {
  const last = Array.isArray(parts) ? (parts.at(-1) as { String?: { sval?: string } }) : undefined;
  return last?.String?.sval ?? "";
}
