import {
  expressionsIn,
  parsePlpgsql,
  type RoutineDefinition,
  STATEMENT_PREFIX,
} from "../parser/plpgsql.ts";
import { OutlineError, outline, type StatementOutline } from "../parser/plpgsql-outline.ts";
import { isParseNode, loadParser, type ParseNode, tokensOf } from "../parser/sql.ts";
import {
  gateCondition,
  gateQuery,
  gateStatement,
  ROW_GATE_START,
  rowGateEnd,
} from "./gate-function.ts";
import {
  kindOf,
  type RoutineStatement,
  type SharedState,
  sharedDeclarations,
  statementsOf,
} from "./gate-positions.ts";
import { isTableLock, TABLE_LOCK, tableLock } from "./table-locks.ts";

/** A gate in a source. Lines and columns are those of the source without gates, from 1. */
export interface SourceGate {
  /** The gate's number. */
  readonly place: number;
  readonly line: number;
  readonly column: number;
  /** The next statement in one line, or its head if it has inner statements. */
  readonly text: string;
}

/** An access to shared state that happens in one step with what precedes it. */
export interface MissingGate {
  readonly line: number;
  readonly reason: string;
}

/** A source with gates, or why it has none. */
export type InstrumentedSource =
  | {
      readonly gated: true;
      readonly source: string;
      readonly gates: readonly SourceGate[];
      readonly missing: readonly MissingGate[];
    }
  | { readonly gated: false; readonly reason: string };

/**
 * Inserts a gate before each statement that accesses shared state, numbered from `first`. Lines
 * keep their numbers. PL/pgSQL's parser reads the result again: the result counts only if it equals
 * the plain source apart from its gates, and if each gate is where it belongs.
 *
 * No statement can precede the declarations of the outermost block, or the later conditions of a CASE
 * that compares a value. Those that access shared state are listed in `missing`.
 */
export async function instrument(
  definition: RoutineDefinition,
  first: number,
  shared: SharedState,
): Promise<InstrumentedSource> {
  await loadParser();
  return instrumentLoaded(definition, first, shared);
}

/** The same, once the parser is loaded. */
export function instrumentLoaded(
  definition: RoutineDefinition,
  first: number,
  shared: SharedState,
): InstrumentedSource {
  try {
    return insertGates(definition, first, shared);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof OutlineError)
      return { gated: false, reason: `its statements could not be located: ${message}` };
    return { gated: false, reason: `libpg-query cannot read it: ${message}` };
  }
}

/** Removes the gates from a source, and restores it byte for byte. */
export function withoutGates(source: string): string {
  return source.replace(GATE, "");
}

/** PL/pgSQL's tree has a query without the blanks around it. */
const pattern = (text: string) =>
  text
    .replace(/[().*/]/g, "\\$&")
    .replace("0", "(\\d+)")
    .replace(/^ | $/g, " ?");

const GATE = new RegExp(
  [
    ...[gateStatement(0), gateCondition(0, "ELSIF"), gateCondition(0, "WHEN"), rowGateEnd(0)],
    ...[gateQuery(0), ...Object.values(ROW_GATE_START)],
  ]
    .map(pattern)
    .concat(TABLE_LOCK)
    .join("|"),
  "g",
);

const ROW_GATE_END = new RegExp(pattern(rowGateEnd(0)));

/** A statement in both of its forms: where it is in the source, and what the parser found. */
type LocatedStatement = StatementOutline & RoutineStatement;

interface Insertion {
  readonly at: number;
  readonly of: LocatedStatement;
  /**
   * Whether the gate is before the statement, at the end of a loop's body, before a condition, or around
   * its query, which it is evaluated for each row of.
   */
  readonly before: "statement" | "repetition" | "condition" | "row";
  /** The end of what the gate is before. */
  readonly end: number;
  /** A statement before the gate, which takes a lock that the next one takes too. */
  readonly lock?: string;
}

function insertGates(
  definition: RoutineDefinition,
  first: number,
  shared: SharedState,
): InstrumentedSource {
  const { source } = definition;
  if (withoutGates(source) !== source) throw new OutlineError("it has gates already");
  const tree = parsePlpgsql(definition);
  const declared = sharedDeclarations(tree, shared);
  const statements = locate(source, statementsOf(tree, shared), declared);
  const insertions = statements.flatMap((of): Insertion[] => [
    ...(of.gate ? [{ at: of.start, of, before: "statement" as const, end: of.headEnd }] : []),
    ...(of.repetitionGate && of.loopEnd !== undefined
      ? [{ at: of.loopEnd, of, before: "repetition" as const, end: of.headEnd }]
      : []),
    ...(of.conditions ?? []).flatMap(({ start, end }, index) =>
      of.conditionGates[index] ? [{ at: start, of, before: "condition" as const, end }] : [],
    ),
    ...of.tableLocks.map((lock) => ({
      ...{ at: of.start, of, before: "statement" as const, end: of.headEnd, lock },
    })),
    ...rowInsertions(source, of),
  ]);
  insertions.sort((a, b) => a.at - b.at);
  const gated = inserted(source, insertions, first);
  const labels = insertions.map(({ at, before }, index) => ({
    at,
    before,
    label: gateLabel(first + index, before),
  }));
  const expected = [
    ...labels.filter(({ before }) => before !== "row"),
    ...statements.map(({ kind, line, start: at }) => ({ at, label: statementLabel(kind, line) })),
  ].sort((a, b) => a.at - b.at);
  const read = splitGates(parsePlpgsql({ ...definition, source: gated }));
  if (
    read.plain !== splitGates(tree).plain ||
    read.order.join() !== expected.map(({ label }) => label).join() ||
    read.rows.sort().join() !==
      labels
        .flatMap(({ before, label }) => (before === "row" ? [label] : []))
        .sort()
        .join() ||
    withoutGates(gated) !== source
  ) {
    throw new OutlineError("with gates it would be another routine");
  }
  return {
    gated: true,
    source: gated,
    gates: insertions.map((insertion, index) => ({
      place: first + index,
      ...describe(source, insertion),
    })),
    missing: missingGates(source, statements, declared),
  };
}

/** The gate for the rows of a statement's query, from where the query starts to where it ends. */
function rowInsertions(source: string, of: LocatedStatement): readonly Insertion[] {
  if (of.rowGate === undefined) return [];
  const tokens = tokensOf(source).filter(
    ({ start, end }) => start >= of.keyword && end <= of.headEnd,
  );
  const opening = { perform: "perform", for: "in", "return query": "query" }[of.rowGate];
  const start = tokens.find(({ text }) => text === opening);
  const end = tokens.at(-1);
  if (start === undefined || end === undefined) throw new OutlineError("a query was not found");
  return [{ at: start.end, of, before: "row", end: end.start }];
}

/** Finds in the source the statements that the parser found. */
function locate(
  source: string,
  statements: readonly RoutineStatement[],
  declared: readonly number[],
): readonly LocatedStatement[] {
  const outlines = outline(tokensOf(source));
  if (outlines.length !== statements.length) throw new OutlineError("some were not found");
  return outlines.map((position, index) => {
    const statement = statements[index];
    const line = lineOf(source, position.keyword);
    if (statement?.kind !== position.kind || statement.line !== line) {
      throw new OutlineError(`line ${line} holds a statement of another kind`);
    }
    const declares =
      index > 0 &&
      position.kind === "block" &&
      declared.some((at) => at >= lineOf(source, position.start) && at <= line);
    return { ...position, ...statement, gate: statement.gate || declares };
  });
}

function inserted(source: string, insertions: readonly Insertion[], first: number): string {
  const edits = insertions.flatMap(({ at, of, before, end, lock }, index) => {
    const place = first + index;
    if (before === "row") {
      const start = of.rowGate === "perform" ? ROW_GATE_START.perform : ROW_GATE_START.query;
      return [
        { at, text: start },
        { at: end, text: rowGateEnd(place) },
      ];
    }
    const keyword = of.kind === "case" ? "WHEN" : "ELSIF";
    const text = before === "condition" ? gateCondition(place, keyword) : gateStatement(place);
    return [{ at, text: lock === undefined ? text : tableLock(lock) + text }];
  });
  edits.sort((a, b) => a.at - b.at);
  const pieces = edits.map(({ at, text }, index) => source.slice(edits[index - 1]?.at, at) + text);
  return pieces.join("") + source.slice(edits.at(-1)?.at);
}

function describe(source: string, insertion: Insertion): Omit<SourceGate, "place"> {
  const { of, at, before, end, lock } = insertion;
  const line = lineOf(source, at);
  const column = [...source.slice(source.lastIndexOf("\n", at - 1) + 1, at)].length + 1;
  const start = before === "condition" ? at : of.start;
  const head = source.slice(start, end).replace(/\s+/g, " ");
  const prefix = { repetition: "again: ", row: "the next row: ", statement: "", condition: "" };
  return { line, column, text: (lock === undefined ? prefix[before] : "the next table: ") + head };
}

function missingGates(
  source: string,
  [outermost, ...others]: readonly LocatedStatement[],
  declared: readonly number[],
): readonly MissingGate[] {
  const begin = outermost === undefined ? 0 : lineOf(source, outermost.keyword);
  return [
    ...declared
      .filter((line) => line <= begin)
      .map((line) => ({
        line,
        reason: "a declaration of the outermost block runs in one step with the call",
      })),
    ...others
      .filter((it) => it.conditions === undefined && it.conditionGates.includes(true))
      .map(({ line, kind }) => ({
        line,
        reason: `the conditions of this ${kind.toUpperCase()} run in one step with the first of them`,
      })),
  ].sort((a, b) => a.line - b.line);
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}

/**
 * The tree without its gates, as a string to compare, the labels of its statements and gates in the order
 * of the source, and those of its gates for rows.
 */
function splitGates(tree: ParseNode): {
  readonly plain: string;
  readonly order: string[];
  readonly rows: string[];
} {
  const order: string[] = [];
  const rows: string[] = [];
  const strip = (value: unknown): unknown => {
    if (typeof value === "string") {
      const [end, place] = ROW_GATE_END.exec(value) ?? [];
      if (end === undefined) return value;
      rows.push(gateLabel(Number(place), "row"));
      const query = withoutGates(value).trim();
      // Without the comments after it, as PL/pgSQL's parser has it.
      return query.slice(0, tokensOf(query).at(-1)?.end);
    }
    if (Array.isArray(value)) {
      const statements = value.flatMap((item, index) => {
        const gate = gateIn(item);
        const condition = conditionGateIn(item);
        if (condition !== undefined) order.push(gateLabel(condition, "condition"));
        if (gate !== undefined) {
          order.push(gateLabel(gate, index === value.length - 1 ? "repetition" : "statement"));
        }
        const added = gate !== undefined || condition !== undefined || takesTableLock(item);
        return added ? [] : [strip(item)];
      });
      return statements.length === 0 ? undefined : statements;
    }
    if (!isParseNode(value)) return value;
    const entries = Object.entries(value).map(([key, inner]) => {
      if (key.startsWith(STATEMENT_PREFIX)) {
        const { lineno } = inner as ParseNode;
        if (typeof lineno === "number") order.push(statementLabel(kindOf(key), lineno));
      }
      return [key, strip(inner)];
    });
    return Object.fromEntries(entries);
  };
  return { plain: JSON.stringify(strip(tree)), order, rows };
}

/** Whether a statement in PL/pgSQL's tree was added, and takes a lock before a gate. */
function takesTableLock(statement: unknown): boolean {
  const inner = isParseNode(statement) ? statement[`${STATEMENT_PREFIX}execsql`] : undefined;
  return expressionsIn(inner).some(({ query }) => isTableLock(query));
}

function gateLabel(gate: number, before: Insertion["before"]): string {
  return `gate ${gate} before a ${before}`;
}

function statementLabel(kind: string, line: number): string {
  return `${kind} in line ${line}`;
}

/** The number of the gate that a condition of an IF or CASE is; undefined if it is none. */
export function conditionGateIn(item: unknown): number | undefined {
  if (!isParseNode(item)) return undefined;
  const condition = item["PLpgSQL_if_elsif"] ?? item["PLpgSQL_case_when"];
  const [expression, ...others] = condition === undefined ? [] : expressionsIn(condition);
  return others.length > 0 ? undefined : gateOf(expression?.query);
}

/** The number of the gate that a statement in PL/pgSQL's tree is; undefined if it is none. */
export function gateIn(statement: unknown): number | undefined {
  const inner = isParseNode(statement) ? statement[`${STATEMENT_PREFIX}if`] : undefined;
  const [condition, ...others] = isParseNode(inner) ? expressionsIn(inner) : [];
  return others.length > 0 ? undefined : gateOf(condition?.query);
}

function gateOf(query = ""): number | undefined {
  const call = /^heddle\.gate\((\d+)\)$/.exec(query);
  return call === null ? undefined : Number(call[1]);
}
