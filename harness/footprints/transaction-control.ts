import { QUERY_TYPES } from "../parser/names.ts";
import { type ParseNode, parseStatements, statementType } from "../parser/sql.ts";

/** What a request does to its session's transaction. */
export type TransactionControl =
  /** It reads, writes or calls, within the transaction or in one of its own. */
  | { readonly type: "query" }
  /**
   * No other session can notice it: BEGIN, savepoints, SET. `isolates` says whether it may change
   * the isolation level of its transaction, or of the session's later transactions. `savepoint` is what
   * it does to a savepoint; a return to one releases the locks that were taken since.
   */
  | {
      readonly type: "private";
      readonly isolates?: "transaction" | "session";
      /** Whether all queries of its transaction certainly read with one snapshot. */
      readonly keepsSnapshot?: boolean;
      readonly savepoint?: Savepoint;
      /** Whether it cannot fail in a transaction block. */
      readonly safe?: boolean;
      /** Whether it begins a transaction, which has that time from then on. */
      readonly begins?: boolean;
    }
  /** It ends the transaction: COMMIT or ROLLBACK. */
  | { readonly type: "end" }
  /** Any other statement, and a text that mixes statements of these types. */
  | { readonly type: "unknown" };

export interface Savepoint {
  readonly does: "set" | "release" | "return";
  readonly name: string;
}

const PRIVATE_CONTROL = new Set([
  ...["TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_SAVEPOINT"],
  ...["TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"],
]);

const ENDS = new Set(["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"]);

/** Types of statements that leave the schema as it is, apart from the routines that they call. */
const SCHEMA_PRESERVING = new Set([
  ...[...QUERY_TYPES, "TransactionStmt", "VariableSetStmt", "VariableShowStmt", "TruncateStmt"],
  ...["LockStmt", "NotifyStmt", "ListenStmt", "UnlistenStmt", "CopyStmt", "DiscardStmt"],
  ...["DeclareCursorStmt", "FetchStmt", "ClosePortalStmt", "ConstraintsSetStmt", "VacuumStmt"],
]);

/** Classifies a request by its SQL text. The parser must be loaded. */
export function controlOf(sql: string): TransactionControl {
  const [first, ...others] = parseStatements(sql) ?? [];
  if (first === undefined) return { type: "unknown" };
  if ([first, ...others].every((statement) => QUERY_TYPES.has(statementType(statement)))) {
    return { type: "query" };
  }
  const type = statementType(first);
  const node = first[type] as ParseNode;
  // BEGIN … DEFERRABLE waits for other transactions without waiting for a lock.
  if (others.length > 0 || /deferrable|snapshot/i.test(JSON.stringify(node))) {
    return { type: "unknown" };
  }
  if (type === "VariableShowStmt") return { type: "private" };
  if (type === "VariableSetStmt") return settingOf(node);
  if (type !== "TransactionStmt" || node["chain"] === true) return { type: "unknown" };
  if (PRIVATE_CONTROL.has(String(node["kind"]))) {
    const savepoint = savepointIn(node);
    if (savepoint !== undefined) return { type: "private", savepoint };
    const begins = true;
    const isolates = JSON.stringify(node).includes("transaction_isolation");
    if (isolates) {
      return {
        type: "private",
        isolates: "transaction",
        keepsSnapshot: keepsSnapshot(node),
        begins,
      };
    }
    return { type: "private", safe: node["options"] === undefined, begins };
  }
  return ENDS.has(String(node["kind"])) ? { type: "end" } : { type: "unknown" };
}

const SAVEPOINTS: { readonly [kind: string]: Savepoint["does"] } = {
  TRANS_STMT_SAVEPOINT: "set",
  TRANS_STMT_RELEASE: "release",
  TRANS_STMT_ROLLBACK_TO: "return",
};

function savepointIn(node: ParseNode): Savepoint | undefined {
  const does = SAVEPOINTS[String(node["kind"])];
  return does && { does, name: String(node["savepoint_name"]) };
}

function settingOf(node: ParseNode): TransactionControl {
  const name = String(node["name"] ?? "").toLowerCase();
  // RESET ALL and the like have no name, and may change the isolation level.
  if (name !== "" && !name.includes("transaction") && name !== "session characteristics") {
    return { type: "private" };
  }
  const local = node["is_local"] === true || name.startsWith("transaction");
  if (!local) return { type: "private", isolates: "session" };
  return {
    type: "private",
    isolates: "transaction",
    keepsSnapshot: name.startsWith("transaction") && keepsSnapshot(node),
  };
}

/** Whether a statement asks for REPEATABLE READ or SERIALIZABLE, and for no other level. */
function keepsSnapshot(node: ParseNode): boolean {
  const levels = JSON.stringify(node).match(/repeatable read|serializable|read (un)?committed/gi);
  return levels?.every((level) => !level.toLowerCase().endsWith("committed")) ?? false;
}

/** Whether a request may change the schema, apart from what the routines that it calls do. */
export function mayAlterSchema(sql: string): boolean {
  // The proxy's text for a Parse message without an Execute.
  if (sql === "(prepare)") return false;
  const preserves = (statement: ParseNode) =>
    Object.keys(statement).every((type) => SCHEMA_PRESERVING.has(type)) ||
    isOfTemporaryTable(statement);
  return !(parseStatements(sql)?.every(preserves) ?? false);
}

function isOfTemporaryTable(statement: ParseNode): boolean {
  return JSON.stringify(statement).includes('"relpersistence":"t"');
}
