import { memoize } from "../parser/memoize.ts";
import { namesIn } from "../parser/names.ts";
import {
  asStatement,
  expressionsIn,
  functionIn,
  type PlpgsqlExpression,
  STATEMENT_PREFIX,
} from "../parser/plpgsql.ts";
import type { StatementOutline } from "../parser/plpgsql-outline.ts";
import { isParseNode, type ParseNode, parseStatements, statementType } from "../parser/sql.ts";
import type { UniqueColumns } from "./most-rows.ts";
import { rowsLocked } from "./row-queries.ts";
import { firstTableLocks } from "./table-locks.ts";

/**
 * Names, without schemas, of functions that may access the state that sessions share, so that a
 * statement that calls one needs a gate. A routine that has a gate before each of its own accesses
 * is not among them.
 */
export type SharedFunctions = ReadonlySet<string>;

/** What other sessions can change, or make wait, between two statements of a routine. */
export interface SharedState {
  readonly functions: SharedFunctions;
  /**
   * Whether each statement reads the tables as they are then. A routine that is not VOLATILE reads them
   * with the snapshot of the statement that calls it.
   */
  readonly tables: boolean;
  /** Tells queries with one row at most from others, where each row gets a gate. */
  readonly unique?: UniqueColumns | undefined;
}

/** Volatile functions of the server that access nothing that sessions share. */
export const PRIVATE_FUNCTIONS: readonly string[] = [
  ...["random", "random_normal", "setseed", "gen_random_uuid", "uuidv4", "uuidv7"],
  ...["clock_timestamp", "timeofday", "pg_sleep", "pg_sleep_for", "pg_sleep_until"],
];

/** A statement as PL/pgSQL parsed it, and where it needs gates. */
export interface RoutineStatement {
  readonly kind: StatementOutline["kind"];
  /** The line in the routine's source, from 1. */
  readonly line: number;
  /** The statement accesses shared state: a gate belongs before it. */
  readonly gate: boolean;
  /** A loop whose repetitions access shared state: a gate belongs at the end of its body too. */
  readonly repetitionGate: boolean;
  /** For each condition of an IF or CASE after the first: it accesses shared state. */
  readonly conditionGates: readonly boolean[];
  /** How the statement begins whose query can lock several rows: a gate belongs after each row. */
  readonly rowGate: RowGateStatement | undefined;
  /** Statements that take the first locks of a LOCK TABLE: a gate belongs after each. */
  readonly tableLocks: readonly string[];
}

/** The statements whose queries can be read row by row: PERFORM, FOR … IN, and RETURN QUERY. */
export type RowGateStatement = "perform" | "for" | "return query";

const ROW_GATE_STATEMENTS: { readonly [type: string]: RowGateStatement } = {
  perform: "perform",
  fors: "for",
  return_query: "return query",
};

const KINDS: { readonly [type: string]: StatementOutline["kind"] } = {
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

/** The kind of a statement from its key in the tree, such as `PLpgSQL_stmt_if`. */
export function kindOf(key: string): StatementOutline["kind"] {
  return KINDS[key.slice(STATEMENT_PREFIX.length)] ?? "simple";
}

/** Statements that need a gate whatever their text says: the query they run is not in it. */
const ALWAYS_GATED = new Set([
  ...["dynexecute", "dynfors", "commit", "rollback", "open", "fetch", "forc"],
]);

/** Loops that fetch rows from a query that is not in their text. */
const LOOPS_OVER_UNKNOWN_QUERIES = new Set(["forc", "dynfors"]);

/** The statements of a routine, in the order in which they start in the source. */
export function statementsOf(tree: ParseNode, shared: SharedState): readonly RoutineStatement[] {
  const statements: RoutineStatement[] = [];
  const visit = (value: unknown, repeats: boolean): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, repeats);
    } else if (isParseNode(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const statement = key.startsWith(STATEMENT_PREFIX)
          ? statementAt(key, inner as ParseNode, repeats, shared)
          : undefined;
        // PL/pgSQL itself adds a block around the body, and a last RETURN: they have no line.
        if (statement !== undefined && statement.line > 0) statements.push(statement);
        visit(inner, repeats || (statement?.repetitionGate ?? false));
      }
    }
  };
  visit(tree, false);
  return statements;
}

/** `repeats`: whether a loop around the statement has a repetition gate. */
function statementAt(
  key: string,
  node: ParseNode,
  repeats: boolean,
  shared: SharedState,
): RoutineStatement {
  const type = key.slice(STATEMENT_PREFIX.length);
  const texts = expressionsIn(node).map(asStatement);
  const accesses = texts
    .map((text) => sharedAccessOf(text, shared))
    .filter((access) => access !== "none");
  // CONTINUE starts the next repetition. The tree does not say which loop.
  const continues = type === "exit" && node["is_exit"] !== true && repeats;
  const dynamic = ALWAYS_GATED.has(type) || node["dynquery"] !== undefined;
  return {
    kind: kindOf(key),
    line: typeof node["lineno"] === "number" ? node["lineno"] : 0,
    gate: accesses.length > 0 || continues || dynamic,
    repetitionGate:
      LOOPS_OVER_UNKNOWN_QUERIES.has(type) ||
      (type === "while" && accesses.length > 0) ||
      (type === "fors" && accesses.includes("each row")),
    conditionGates: laterConditions(node).map((condition) =>
      expressionsIn(condition).some((expression) => isShared(expression, shared)),
    ),
    rowGate:
      node["dynquery"] === undefined && texts[0] !== undefined && locksRows(texts[0], shared)
        ? ROW_GATE_STATEMENTS[type]
        : undefined,
    tableLocks: shared.unique === undefined ? [] : texts.flatMap(firstTableLocks),
  };
}

function locksRows(text: string, { functions, unique }: SharedState): boolean {
  return unique !== undefined && rowsLocked(text, { functions, unique }) > 1;
}

/** The conditions of an IF or CASE after the first one. */
function laterConditions(node: ParseNode): readonly unknown[] {
  const { elsif_list: elsifs, case_when_list: whens } = node;
  return Array.isArray(elsifs) ? elsifs : Array.isArray(whens) ? whens.slice(1) : [];
}

/** The lines of the declarations whose initial values access shared state. */
export function sharedDeclarations(tree: ParseNode, shared: SharedState): readonly number[] {
  const { datums } = functionIn(tree);
  if (!Array.isArray(datums)) return [];
  return datums.flatMap((datum: ParseNode): number[] => {
    const [variable] = Object.values(datum) as ParseNode[];
    const line = variable?.["lineno"];
    const value = variable?.["default_val"];
    if (typeof line !== "number" || !isParseNode(value)) return [];
    return expressionsIn(value).some((expression) => isShared(expression, shared)) ? [line] : [];
  });
}

function isShared(expression: PlpgsqlExpression, shared: SharedState): boolean {
  return sharedAccessOf(asStatement(expression), shared) !== "none";
}

/**
 * How an SQL statement accesses the state that sessions share: whether it reads or changes any of
 * it or takes a lock, and if so, when.
 * - `at the start`: all of it before the statement returns its first row, or with the snapshot that
 *   it takes then. PostgreSQL runs statements that write to their end before PL/pgSQL sees a row.
 * - `each row`: also while its rows are fetched, as SELECT … FOR UPDATE does.
 */
export type SharedAccess = "none" | "at the start" | "each row";

/** Types of statements that concern their session alone. */
const SESSION_ONLY = new Set(["VariableSetStmt", "VariableShowStmt"]);
/** Types of statements that access nothing but what they name and call. */
const BY_CONTENTS = new Set(["SelectStmt", "CallStmt"]);

/**
 * Derives the access from the statement's text. A statement that cannot be parsed has access at each row.
 * Functions behind operators, casts and domains are not seen. The parser must be loaded.
 */
export function sharedAccessOf(statement: string, shared: SharedState): SharedAccess {
  const { parsed, access, calls } = contentsOf(statement);
  if (calls.some((name) => shared.functions.has(name))) return "each row";
  return shared.tables || !parsed ? access : "none";
}

interface StatementContents {
  readonly parsed: boolean;
  /** The access of the statement, apart from what it calls. */
  readonly access: SharedAccess;
  /** The names of the functions that it calls. */
  readonly calls: readonly string[];
}

const contentsOf = memoize((statement: string): StatementContents => {
  const statements = parseStatements(statement);
  if (statements === undefined) return { parsed: false, access: "each row", calls: [] };
  const type = statementType(statements[0] ?? {});
  if (SESSION_ONLY.has(type)) return { parsed: true, access: "none", calls: [] };
  if (!BY_CONTENTS.has(type)) return { parsed: true, access: "at the start", calls: [] };
  const { reads, writes, locks, calls, attributes } = namesIn(statement);
  const functions = calls.filter(({ operator }) => !operator).map(({ name }) => name);
  const accesses = reads.length + writes.length > 0;
  return {
    parsed: true,
    access: !accesses ? "none" : locks ? "each row" : "at the start",
    calls: [...functions, ...attributes],
  };
});
