import { parseSync } from "libpg-query";
import { attributesIn } from "../instrumentation/attributes.ts";

/** What a statement does to a table that it writes. */
export type Write = "insert" | "update" | "delete";

/** What an SQL text names. Names are without their schemas: whatever bears the name is meant. */
export interface Names {
  /** Tables, views and the like that are read; what WITH defines is among them. */
  readonly reads: readonly string[];
  readonly writes: readonly { readonly table: string; readonly how: Write }[];
  /** Functions, and operators. */
  readonly calls: readonly FunctionCall[];
  /** Names that are columns, or else functions of a row. */
  readonly attributes: readonly string[];
  /** Names that WITH gives to its queries. */
  readonly defined: readonly string[];
  /** It locks the rows that it reads (FOR UPDATE and the like). */
  readonly locks: boolean;
  /** It does something that is not understood. */
  readonly unknown: boolean;
}

export interface FunctionCall {
  readonly name: string;
  readonly operator: boolean;
  /** The arguments as text; undefined for what is no constant. */
  readonly constants: readonly (string | undefined)[];
}

/** What the text is for its session's transaction. */
export type TransactionControl =
  | { readonly type: "query" }
  /**
   * Nothing that others could see: BEGIN, savepoints, SET. It may change the isolation of what
   * follows, in the transaction or in the session.
   */
  | { readonly type: "private"; readonly isolates?: "transaction" | "session" }
  | { readonly type: "end" }
  | { readonly type: "unknown" };

interface Node {
  readonly [key: string]: unknown;
}

const QUERIES = new Set([
  ...["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt"],
]);

/** Statements that write the table in their `relation`. */
const WRITES: { readonly [kind: string]: readonly Write[] } = {
  InsertStmt: ["insert"],
  UpdateStmt: ["update"],
  DeleteStmt: ["delete"],
  MergeStmt: ["insert", "update", "delete"],
};

const PRIVATE_CONTROL = new Set([
  ...["TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_SAVEPOINT"],
  ...["TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"],
]);

const ENDS = new Set(["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"]);

/** They leave the schema as it is; so does what concerns nobody but the session. */
const TAME = new Set([
  ...[...QUERIES, "TransactionStmt", "VariableSetStmt", "VariableShowStmt", "TruncateStmt"],
  ...["LockStmt", "NotifyStmt", "ListenStmt", "UnlistenStmt", "CopyStmt", "DiscardStmt"],
  ...["DeclareCursorStmt", "FetchStmt", "ClosePortalStmt", "ConstraintsSetStmt", "VacuumStmt"],
]);

/** Whether a request may change the schema, apart from what it calls. */
export function mayAlter(sql: string): boolean {
  // That is no text.
  if (sql === "(prepare)") return false;
  const tame = (statement: Node) =>
    Object.keys(statement).every((kind) => TAME.has(kind)) ||
    JSON.stringify(statement).includes('"relpersistence":"t"');
  return !(statementsIn(sql)?.every(tame) ?? false);
}

/** The statements of a text as libpg-query, which has to be loaded, sees them. */
function statementsIn(sql: string): readonly Node[] | undefined {
  try {
    const { stmts = [] } = parseSync(sql) as { stmts?: { stmt?: Node }[] };
    return stmts.map(({ stmt }) => stmt ?? {});
  } catch {
    return undefined;
  }
}

/** What a request is, as it goes over the wire. Not understood is what mixes its kinds. */
export function controlOf(sql: string): TransactionControl {
  const statements = statementsIn(sql);
  if (statements === undefined || statements.length === 0) return { type: "unknown" };
  const kinds = statements.map((statement) => Object.keys(statement)[0] ?? "");
  if (kinds.every((kind) => QUERIES.has(kind))) return { type: "query" };
  const [kind] = kinds;
  const node = statements[0]?.[kind ?? ""] as Node;
  // A transaction that waits for a moment in which nobody can do it harm waits for no lock.
  if (kinds.length > 1 || /deferrable|snapshot/i.test(JSON.stringify(node))) {
    return { type: "unknown" };
  }
  if (kind === "VariableShowStmt") return { type: "private" };
  if (kind === "VariableSetStmt") return settingOf(node);
  if (kind !== "TransactionStmt" || node["chain"] === true) return { type: "unknown" };
  if (PRIVATE_CONTROL.has(String(node["kind"]))) {
    const isolates = JSON.stringify(node).includes("transaction_isolation");
    return isolates ? { type: "private", isolates: "transaction" } : { type: "private" };
  }
  return ENDS.has(String(node["kind"])) ? { type: "end" } : { type: "unknown" };
}

function settingOf(node: Node): TransactionControl {
  const name = String(node["name"] ?? "").toLowerCase();
  // RESET ALL and the like have no name.
  if (name !== "" && !name.includes("transaction") && name !== "session characteristics") {
    return { type: "private" };
  }
  const passing = node["is_local"] === true || name.startsWith("transaction");
  return { type: "private", isolates: passing ? "transaction" : "session" };
}

/** What the queries of a text name. */
export function namesIn(sql: string): Names {
  const found: Found = {
    reads: [],
    writes: [],
    calls: [],
    attributes: [],
    defined: [],
    locks: false,
    unknown: false,
  };
  const statements = statementsIn(sql);
  if (statements === undefined) return { ...found, unknown: true };
  for (const statement of statements) {
    if (!Object.keys(statement).every((kind) => QUERIES.has(kind))) found.unknown = true;
    look(statement, found);
  }
  return found;
}

type Found = {
  -readonly [Key in keyof Names]: Names[Key] extends readonly (infer T)[] ? T[] : Names[Key];
};

function look(value: unknown, found: Found): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) look(item, found);
    return;
  }
  const node = value as Node;
  if (Array.isArray(node["funcname"])) found.calls.push(call(node, "funcname", false));
  for (const key of ["operName", "useOp"]) {
    if (Array.isArray(node[key])) found.calls.push(call(node, key, true));
  }
  for (const [key, inner] of Object.entries(node)) {
    lookAt(key, inner as Node, found);
    look(inner, found);
  }
}

function lookAt(key: string, inner: Node, found: Found): void {
  if (key === "RangeVar") found.reads.push(String(inner["relname"]));
  if (key === "A_Expr") found.calls.push(call(inner, "name", true));
  if (key === "CommonTableExpr") found.defined.push(String(inner["ctename"]));
  found.attributes.push(...attributesIn(key, inner));
  if (key === "lockingClause") found.locks = true;
  if (key === "intoClause") found.unknown = true;
  const hows = WRITES[key];
  if (hows === undefined) return;
  const table = String((inner["relation"] as Node | undefined)?.["relname"]);
  const conflicts = (inner["onConflictClause"] as Node | undefined)?.["action"];
  const all = conflicts === "ONCONFLICT_UPDATE" ? [...hows, "update" as const] : hows;
  found.writes.push(...all.map((how) => ({ table, how })));
}

function call(node: Node, key: string, operator: boolean): FunctionCall {
  const args = Array.isArray(node["args"]) ? node["args"] : [];
  return { name: lastOf(node[key]), operator, constants: args.map(constant) };
}

function lastOf(parts: unknown): string {
  const last = Array.isArray(parts) ? (parts.at(-1) as { String?: { sval?: string } }) : undefined;
  return last?.String?.sval ?? "";
}

/** The text of a constant, cast or not. The parser leaves out a zero. */
function constant(node: Node): string | undefined {
  const cast = node["TypeCast"] as { arg?: Node } | undefined;
  if (cast?.arg !== undefined) return constant(cast.arg);
  const value = node["A_Const"] as { [kind: string]: Node | undefined } | undefined;
  if (value?.["ival"] !== undefined) return String(value["ival"]["ival"] ?? 0);
  if (value?.["fval"] !== undefined) return String(value["fval"]["fval"]);
  if (value?.["sval"] !== undefined) return String(value["sval"]["sval"] ?? "");
  return undefined;
}
