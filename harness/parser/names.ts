import { isParseNode, type ParseNode, parseStatements, statementType } from "./sql.ts";

/** How a statement changes a table. */
export type Write = "insert" | "update" | "delete";

/** The names in an SQL text. Names have no schema: a name stands for every object called so. */
export interface Names {
  /** Relations that are read, and the names of WITH queries that are read. */
  readonly reads: readonly string[];
  readonly writes: readonly { readonly table: string; readonly how: Write }[];
  /** Calls of functions, and uses of operators. */
  readonly calls: readonly FunctionCall[];
  /**
   * Names in attribute notation: each is a column, or else a function of the row. `o.total` is
   * `total(o)` where the row `o` has no such column
   * (https://www.postgresql.org/docs/current/sql-expressions.html#SQL-EXPRESSIONS-FUNCTION-CALLS).
   */
  readonly attributes: readonly string[];
  /** The names that WITH gives to its queries. */
  readonly defined: readonly string[];
  /** Whether the text locks the rows that it reads (FOR UPDATE, FOR SHARE and the like). */
  readonly locks: boolean;
  /** Whether the text reads the transaction numbers of rows, `xmin` or `xmax`. */
  readonly transactionNumbers: boolean;
  /** Whether the text reads the time with a keyword, such as CURRENT_TIMESTAMP, or as the constant 'now'. */
  readonly clock: boolean;
  /** Whether the text changes what its session keeps after the transaction, apart from what it calls. */
  readonly changesSession: boolean;
  /** Whether the text is a SELECT of constants alone, which cannot fail. */
  readonly constant: boolean;
  /** Whether the text does something besides reading, writing and calling. */
  readonly unknown: boolean;
}

export interface FunctionCall {
  readonly name: string;
  readonly operator: boolean;
  /** The arguments as text; undefined for an argument that is not a constant. */
  readonly constants: readonly (string | undefined)[];
}

/** Types of statements that read or write rows or call routines, and do nothing else. */
export const QUERY_TYPES: ReadonlySet<string> = new Set([
  ...["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt"],
]);

/** Types of statements that write the table in their field `relation`. */
const WRITES: { readonly [type: string]: readonly Write[] } = {
  InsertStmt: ["insert"],
  UpdateStmt: ["update"],
  DeleteStmt: ["delete"],
  MergeStmt: ["insert", "update", "delete"],
};

/** The names in an SQL text; `unknown` if it cannot be parsed. */
export function namesIn(sql: string): Names {
  const statements = parseStatements(sql);
  if (statements === undefined) return { ...namesOf([]), unknown: true };
  const names = namesOf(statements);
  return {
    ...names,
    constant: statements.length > 0 && statements.every(selectsConstants),
    unknown: names.unknown || !statements.every((it) => QUERY_TYPES.has(statementType(it))),
  };
}

/** The names in a part of a parse tree. */
export function namesOf(tree: unknown): Names {
  const names: MutableNames = {
    reads: [],
    writes: [],
    calls: [],
    attributes: [],
    defined: [],
    locks: false,
    transactionNumbers: false,
    clock: false,
    changesSession: false,
    constant: false,
    unknown: false,
  };
  collect(tree, names);
  return names;
}

function selectsConstants({ SelectStmt }: ParseNode): boolean {
  if (!isParseNode(SelectStmt) || !Array.isArray(SelectStmt["targetList"])) return false;
  const { targetList, limitOption, op, ...others } = SelectStmt;
  return (
    Object.keys(others).length === 0 &&
    SelectStmt["targetList"].every(
      ({ ResTarget: target }) => isParseNode(target?.val) && target.val["A_Const"] !== undefined,
    )
  );
}

type MutableNames = {
  -readonly [Key in keyof Names]: Names[Key] extends readonly (infer T)[] ? T[] : Names[Key];
};

function collect(value: unknown, names: MutableNames): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, names);
    return;
  }
  if (!isParseNode(value)) return;
  if (Array.isArray(value["funcname"])) names.calls.push(callIn(value, "funcname", false));
  for (const key of ["operName", "useOp"]) {
    if (Array.isArray(value[key])) names.calls.push(callIn(value, key, true));
  }
  for (const [key, inner] of Object.entries(value)) {
    collectField(key, inner as ParseNode, names);
    collect(inner, names);
  }
}

function collectField(key: string, value: ParseNode, names: MutableNames): void {
  if (key === "RangeVar") names.reads.push(String(value["relname"]));
  if (key === "A_Expr") names.calls.push(callIn(value, "name", true));
  if (key === "CommonTableExpr") names.defined.push(String(value["ctename"]));
  // In a.b only b is an attribute: a is a column or a row.
  if (key === "ColumnRef") names.attributes.push(...stringsIn(value["fields"]).slice(1));
  if (key === "ColumnRef") {
    const column = stringsIn(value["fields"]).at(-1) ?? "";
    if (column === "xmin" || column === "xmax") names.transactionNumbers = true;
  }
  if (key === "A_Indirection") names.attributes.push(...stringsIn(value["indirection"]));
  if (key === "lockingClause") names.locks = true;
  if (key === "SQLValueFunction" && /TIME|DATE/.test(String(value["op"]))) names.clock = true;
  if (key === "A_Const" && /^\s*now\b/i.test(constantIn({ A_Const: value }) ?? ""))
    names.clock = true;
  if (changesSession(key, value)) names.changesSession = true;
  if (key === "intoClause") names.unknown = true;
  const hows = WRITES[key];
  if (hows === undefined) return;
  const table = String((value["relation"] as ParseNode | undefined)?.["relname"]);
  const onConflict = (value["onConflictClause"] as ParseNode | undefined)?.["action"];
  const all = onConflict === "ONCONFLICT_UPDATE" ? [...hows, "update" as const] : hows;
  names.writes.push(...all.map((how) => ({ table, how })));
}

function callIn(node: ParseNode, nameKey: string, operator: boolean): FunctionCall {
  const args = Array.isArray(node["args"]) ? node["args"] : [];
  return {
    name: stringsIn(node[nameKey]).at(-1) ?? "",
    operator,
    constants: args.map(constantIn),
  };
}

/** The strings in a list of nodes. */
function stringsIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: { String?: { sval?: string } }) => item.String?.sval ?? []);
}

/** The text of a constant, cast or not. libpg-query leaves out the value of an integer zero. */
function constantIn(node: ParseNode): string | undefined {
  const cast = node["TypeCast"] as { arg?: ParseNode } | undefined;
  if (cast?.arg !== undefined) return constantIn(cast.arg);
  const value = node["A_Const"] as { [kind: string]: ParseNode | undefined } | undefined;
  if (value?.["ival"] !== undefined) return String(value["ival"]["ival"] ?? 0);
  if (value?.["fval"] !== undefined) return String(value["fval"]["fval"]);
  if (value?.["sval"] !== undefined) return String(value["sval"]["sval"] ?? "");
  if (value?.["boolval"] !== undefined) return String(value["boolval"]["boolval"] ?? false);
  return undefined;
}

/** Types of statements that leave something in their session. */
const LEAVES_IN_SESSION = new Set(["PrepareStmt", "ListenStmt", "LoadStmt"]);

/** The option WITH HOLD of a cursor, which then outlasts its transaction. */
const CURSOR_OPT_HOLD = 0x20;

/** Statements that take such a thing back (RESET, DISCARD, UNLISTEN) change nothing in a session that has none. */
function changesSession(key: string, value: ParseNode): boolean {
  if (LEAVES_IN_SESSION.has(key) || value["relpersistence"] === "t") return true;
  if (key === "DeclareCursorStmt") return (Number(value["options"]) & CURSOR_OPT_HOLD) !== 0;
  if (key !== "VariableSetStmt" || value["is_local"] === true) return false;
  return (
    /^VAR_SET_(VALUE|CURRENT|MULTI)$/.test(String(value["kind"])) &&
    !/^transaction/i.test(String(value["name"] ?? ""))
  );
}
