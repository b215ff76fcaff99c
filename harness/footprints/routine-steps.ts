import { conditionGateIn, gateIn, withoutGates } from "../instrumentation/instrument-routine.ts";
import { queryGateIn } from "../instrumentation/instrument-sql.ts";
import {
  asStatement,
  definitionOf,
  expressionsIn,
  functionIn,
  parsePlpgsql,
  STATEMENT_PREFIX,
} from "../parser/plpgsql.ts";
import { isParseNode, type ParseNode, statementRanges } from "../parser/sql.ts";

/** The SQL texts of a routine by the step that runs them. They are parsed later, by need. */
export interface RoutineSteps {
  /** What a step runs that starts at a gate, by the gate's number. */
  readonly gated: ReadonlyMap<number, StepTexts>;
  /** All texts without a gate before them: each may run in any step. */
  readonly ungated: StepTexts;
  /** Whether a step may continue a query of an earlier step, as a loop over rows does. */
  readonly resumesQueries: boolean;
  /** Whether the routine has a block with an EXCEPTION clause. */
  readonly catches: boolean;
}

interface StepTexts {
  readonly texts: readonly string[];
  /** Whether the step runs a text made at run time, or ends a transaction. */
  readonly unknown: boolean;
}

/** Statements with unknown effects: they run a text made at run time, or end a transaction. */
const UNKNOWN = new Set(["dynexecute", "dynfors", "commit", "rollback"]);

/** Statements that leave a query open, or fetch rows from an open one. */
const FETCHES_ROWS = new Set(["fors", "forc", "dynfors", "open", "fetch", "close"]);

/** A routine's row in the catalog. */
export interface RoutineRow {
  /** `prokind` in pg_proc: `f` for a function, `p` for a procedure. */
  readonly kind: string;
  readonly language: string;
  /** `provolatile` in pg_proc. */
  readonly volatility: string;
  readonly source: string;
  /** Whether the body was parsed when the routine was created (BEGIN ATOMIC): it has no source. */
  readonly parsed: boolean;
  /** The default values of its arguments, as a list of expressions. */
  readonly defaults: string | null;
  readonly definition: string | null;
}

/** What a routine runs; `nothing` if it has no effects, `unknown` if they cannot be derived. */
export type RoutineBody = RoutineSteps | "nothing" | "unknown";

/** Derives what a routine runs. Its source may contain gates. The parser must be loaded. */
export function bodyOf(row: RoutineRow): RoutineBody {
  const body = bodyWithoutDefaults(row);
  if (row.defaults === null || body === "unknown") return body;
  // The caller evaluates the defaults before the routine's first gate.
  const { ungated, ...steps } = body === "nothing" ? inOneStep() : body;
  return { ...steps, ungated: { ...ungated, texts: [...ungated.texts, `select ${row.defaults}`] } };
}

function bodyWithoutDefaults(row: RoutineRow): RoutineBody {
  const { kind, language, volatility, source, parsed, definition } = row;
  if (kind !== "f" && kind !== "p") return "unknown";
  if (language === "plpgsql") {
    try {
      const steps = stepsOf(definition ?? "", source);
      return volatility === "v" ? steps : withCallersSnapshot(steps);
    } catch {
      return "unknown";
    }
  }
  if (language === "sql" && !parsed) return stepsOfSql(source);
  return language !== "sql" && volatility === "i" ? "nothing" : "unknown";
}

/** The statements of a source in SQL. A gate belongs to the statement after it. */
function stepsOfSql(source: string): RoutineSteps {
  const texts = statementRanges(source)?.map(({ start, end }) => source.slice(start, end));
  if (texts === undefined) return inOneStep(source);
  const steps = new StepCollector();
  let gate: number | undefined;
  for (const text of texts) {
    const own = queryGateIn(text);
    if (own === undefined) steps.addText(gate, text);
    gate = own;
  }
  return steps;
}

function inOneStep(...texts: readonly string[]): RoutineSteps {
  return {
    gated: new Map(),
    ungated: { texts, unknown: false },
    resumesQueries: false,
    catches: false,
  };
}

/** A routine that is not VOLATILE reads with its caller's snapshot: all that it reads counts in each step. */
function withCallersSnapshot({ ungated, gated, ...steps }: RoutineSteps): RoutineSteps {
  const all = [ungated, ...gated.values()];
  return {
    ...steps,
    ungated: {
      texts: all.flatMap(({ texts }) => texts),
      unknown: all.some(({ unknown }) => unknown),
    },
    gated: new Map([...gated.keys()].map((place) => [place, { texts: [], unknown: false }])),
  };
}

/** Throws if the definition cannot be parsed. */
function stepsOf(definition: string, source: string): RoutineSteps {
  const tree = parsePlpgsql(definitionOf("the routine", definition, source));
  const steps = new StepCollector();
  steps.visit(tree);
  steps.add(undefined, { datums: functionIn(tree)["datums"] });
  return steps;
}

class StepCollector implements RoutineSteps {
  readonly gated = new Map<number, StepTexts>();
  ungated: StepTexts = { texts: [], unknown: false };
  resumesQueries = false;
  catches = false;

  visit(value: unknown): void {
    if (Array.isArray(value)) this.#visitList(value);
    else if (isParseNode(value)) this.#visitNode(value, undefined);
  }

  /** A gate belongs to the statement after it; one at the end of a list, to the loop around it. */
  #visitList(items: readonly unknown[]): void {
    let previousGate: number | undefined;
    for (const item of items) {
      const gate = gateIn(item);
      if (gate === undefined && isParseNode(item)) this.#visitNode(item, previousGate);
      previousGate = gate;
    }
    if (previousGate !== undefined) this.resumesQueries = true;
  }

  #visitNode(node: ParseNode, gate: number | undefined): void {
    for (const [key, value] of Object.entries(node)) {
      if (key.startsWith(STATEMENT_PREFIX)) this.#visitStatement(gate, key, value as ParseNode);
      else this.visit(value);
    }
  }

  #visitStatement(gate: number | undefined, key: string, node: ParseNode): void {
    const type = key.slice(STATEMENT_PREFIX.length);
    if (FETCHES_ROWS.has(type)) this.resumesQueries = true;
    if (node["exceptions"] !== undefined) this.catches = true;
    const { elsif_list: elsifs, case_when_list: whens, ...rest } = node;
    this.add(gate, rest, UNKNOWN.has(type) || node["dynquery"] !== undefined);
    this.#addConditions(gate, [elsifs ?? [], whens ?? []].flat());
    for (const value of Object.values(node)) this.visit(value);
  }

  /** A condition belongs to the step that starts at the last gate before it. */
  #addConditions(gate: number | undefined, conditions: readonly unknown[]): void {
    let last = gate;
    for (const condition of conditions) {
      const own = conditionGateIn(condition);
      if (own === undefined) this.add(last, { condition });
      last = own ?? last;
    }
  }

  /** Adds the expressions of a node to the step that starts at the gate. */
  add(gate: number | undefined, node: ParseNode, unknown = false): void {
    this.#add(gate, expressionsIn(node).map(asStatement), unknown);
  }

  addText(gate: number | undefined, text: string): void {
    this.#add(gate, [text], false);
  }

  #add(gate: number | undefined, texts: readonly string[], unknown: boolean): void {
    const before = gate === undefined ? this.ungated : this.gated.get(gate);
    const step = {
      texts: [...(before?.texts ?? []), ...texts.map(withoutGates)],
      unknown: unknown || (before?.unknown ?? false),
    };
    if (gate === undefined) this.ungated = step;
    else this.gated.set(gate, step);
  }
}
